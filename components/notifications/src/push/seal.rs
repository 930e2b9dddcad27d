//! The body of a Web Push (RFC 8291): sealed for one subscription, so that the push service in between reads nothing.

use aes_gcm::Aes128Gcm;
use aes_gcm::aead::{Aead, KeyInit};
use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac_sha256::HKDF;
use p256::ecdh::diffie_hellman;
use p256::elliptic_curve::sec1::ToEncodedPoint;
use p256::{PublicKey, SecretKey};

/// The size of a record, of which there is one: what push services take.
const RECORD: u32 = 4096;
/// Bytes of an uncompressed point.
const POINT: usize = 65;

/// The keys of a subscription.
pub struct Receiver {
    public: PublicKey,
    auth: [u8; 16],
}

impl Receiver {
    /// Reads both; `None` where one is not what it must be.
    pub fn parse(p256dh: &str, auth: &str) -> Option<Self> {
        Some(Self { public: Self::parse_public(p256dh)?, auth: Self::parse_auth(auth)? })
    }

    /// An uncompressed point of P-256, base64url.
    pub fn parse_public(p256dh: &str) -> Option<PublicKey> {
        let point = URL_SAFE_NO_PAD.decode(p256dh).ok().filter(|point| point.len() == POINT)?;
        PublicKey::from_sec1_bytes(&point).ok()
    }

    /// 16 bytes, base64url.
    pub fn parse_auth(auth: &str) -> Option<[u8; 16]> {
        URL_SAFE_NO_PAD.decode(auth).ok()?.try_into().ok()
    }

    /// Seals `plain` under keys of its own.
    pub fn seal(&self, plain: &[u8]) -> Result<Vec<u8>> {
        let (mut secret, mut salt) = ([0; 32], [0; 16]);
        getrandom::fill(&mut secret).map_err(|error| anyhow!("no randomness: {error}"))?;
        getrandom::fill(&mut salt).map_err(|error| anyhow!("no randomness: {error}"))?;
        // One in 2^32 is no key; then the push is tried again.
        self.seal_with(plain, &SecretKey::from_slice(&secret).context("no key")?, salt)
    }

    fn seal_with(&self, plain: &[u8], own: &SecretKey, salt: [u8; 16]) -> Result<Vec<u8>> {
        let own_public = own.public_key().to_encoded_point(false);
        let agreed = diffie_hellman(own.to_nonzero_scalar(), self.public.as_affine());
        let theirs = self.public.to_encoded_point(false);
        let info = [b"WebPush: info\0", theirs.as_bytes(), own_public.as_bytes()].concat();
        let mut input = [0; 32];
        HKDF::expand(&mut input, HKDF::extract(self.auth, agreed.raw_secret_bytes()), info);
        // RFC 8188 from here on.
        let (mut key, mut nonce) = ([0; 16], [0; 12]);
        let secret = HKDF::extract(salt, input);
        HKDF::expand(&mut key, secret, b"Content-Encoding: aes128gcm\0");
        HKDF::expand(&mut nonce, secret, b"Content-Encoding: nonce\0");
        // 2 ends the last record.
        let record = [plain, &[2]].concat();
        let sealed = Aes128Gcm::new(&key.into()).encrypt(&nonce.into(), record.as_slice());
        let sealed = sealed.map_err(|_| anyhow!("it cannot be sealed"))?;
        anyhow::ensure!(sealed.len() <= RECORD as usize, "it is too long");
        Ok([&salt, &RECORD.to_be_bytes()[..], &[POINT as u8], own_public.as_bytes(), &sealed].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_that_of_rfc_8291() {
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let receiver = Receiver::parse(
            "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
            "BTBZMqHH6r4Tts7J_aSIgg",
        );
        let own = SecretKey::from_slice(&bytes("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw")).unwrap();
        let salt = bytes("DGv6ra1nlYgDCS1FRnbzlw").try_into().unwrap();
        let plain = b"When I grow up, I want to be a watermelon";
        let body = receiver.unwrap().seal_with(plain, &own, salt).unwrap();
        let expected = "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN";
        assert_eq!(URL_SAFE_NO_PAD.encode(body), expected);
    }
}

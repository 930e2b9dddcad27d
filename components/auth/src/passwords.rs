//! Passwords: Argon2id with 19 MiB, two passes and one lane (OWASP), kept in PHC form so that the
//! parameters can rise later.
//!
//! One hash runs at a time in an instance: WebAssembly has one thread and a hash does not yield, and
//! natively the working memory is behind a lock. It is taken once and used again, so an instance
//! holds 19 MiB however many people sign in at once.

use std::sync::{Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT: usize = 32;
/// Longer than any password that can be chosen, so that what is hashed is bounded.
const LONGEST: usize = 128 * 4 * 3;
/// Parameters in a stored hash beyond these are a damaged row, not ours.
const MOST_MEMORY_KIB: u32 = 256 * 1024;

static MEMORY: Mutex<Vec<Block>> = Mutex::new(Vec::new());

/// Hashes a password under a new salt.
pub fn hash_password(password: &str) -> Result<String, anyhow::Error> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    let output = derive(password, &salt, MEMORY_KIB, PASSES, LANES)?;
    let (salt, output) = (STANDARD_NO_PAD.encode(salt), STANDARD_NO_PAD.encode(output));
    Ok(format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}${salt}${output}"))
}

/// Whether `password` is the one `stored` was made of. Without a stored hash the same work is done for
/// nothing, so that the time does not tell whether there is an account.
pub fn verify_password(password: &str, stored: Option<&str>) -> Result<bool, anyhow::Error> {
    let Some(stored) = stored else {
        derive(password, &[0; 16], MEMORY_KIB, PASSES, LANES)?;
        return Ok(false);
    };
    let parts = parse(stored).ok_or_else(|| anyhow::anyhow!("a stored password cannot be read"))?;
    let output = derive(password, &parts.salt, parts.memory, parts.passes, parts.lanes)?;
    Ok(output.as_slice().ct_eq(&parts.output).into())
}

fn derive(
    password: &str,
    salt: &[u8],
    memory: u32,
    passes: u32,
    lanes: u32,
) -> Result<[u8; OUTPUT], anyhow::Error> {
    let failed = |error: argon2::Error| anyhow::anyhow!("argon2: {error}");
    // The same characters typed on another keyboard may be composed otherwise.
    let mut password: String = password.nfc().collect();
    if password.len() > LONGEST {
        password = String::new();
    }
    let params = Params::new(memory, passes, lanes, Some(OUTPUT)).map_err(failed)?;
    let blocks = params.block_count();
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut output = [0; OUTPUT];
    let mut memory = MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    if memory.len() < blocks {
        memory.resize(blocks, Block::default());
    }
    let working = memory.get_mut(..blocks).unwrap_or_default();
    argon2.hash_password_into_with_memory(password.as_bytes(), salt, &mut output, working).map_err(failed)?;
    Ok(output)
}

struct Stored {
    memory: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
    output: Vec<u8>,
}

fn parse(stored: &str) -> Option<Stored> {
    let mut parts = stored.strip_prefix("$argon2id$v=19$")?.split('$');
    let (params, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
    let mut numbers = params.split(',');
    let mut number = |name: &str| numbers.next()?.strip_prefix(name)?.strip_prefix('=')?.parse::<u32>().ok();
    let (memory, passes, lanes) = (number("m")?, number("t")?, number("p")?);
    let (salt, output) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(output).ok()?);
    (memory <= MOST_MEMORY_KIB && passes <= 16).then_some(Stored { memory, passes, lanes, salt, output })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_password_itself_verifies() {
        let stored = hash_password("correct horse").unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify_password("correct horse", Some(&stored)).unwrap());
        assert!(!verify_password("correct horsf", Some(&stored)).unwrap());
        assert!(!verify_password("", Some(&stored)).unwrap());
        assert!(!verify_password("correct horse", None).unwrap());
        assert!(verify_password("x", Some("$argon2id$damaged")).is_err());
    }

    #[test]
    fn the_same_password_is_stored_otherwise_each_time() {
        assert_ne!(hash_password("correct horse").unwrap(), hash_password("correct horse").unwrap());
    }

    #[test]
    fn a_password_verifies_however_its_accents_were_typed() {
        let stored = hash_password("caf\u{e9} au lait").unwrap();
        assert!(verify_password("cafe\u{301} au lait", Some(&stored)).unwrap());
    }
}

//! What every operation of a certain shape refuses, in one place.

use serde_json::{Value, json};

use super::{Operation, has_parameter, reference, takes_token};

/// A refusal that is none of the handler's.
pub struct Refusal {
    /// Its name in the document.
    pub name: &'static str,
    /// HTTP status.
    pub status: &'static str,
    /// The codes it can have, and why.
    pub codes: &'static [(&'static str, &'static str)],
    /// Which operations answer it.
    pub answers: fn(&Operation, &Value) -> bool,
}

/// What people may do who are suspended, because it is about that.
const OF_THE_SUSPENDED: [&str; 2] = ["/me/appeals", "/me/decisions"];

/// All of them, by status.
pub const ALL: &[Refusal] = &[
    Refusal {
        name: "BadRequest",
        status: "400",
        codes: &[("malformed_json", "the body is not JSON"), ("unreadable_body", "the body ended early")],
        answers: |_, operation| has_body(operation),
    },
    Refusal {
        name: "Unauthorized",
        status: "401",
        codes: &[("invalid_token", "a token is missing, or the one given is not valid (any more)")],
        answers: |at, _| at.has_edge(),
    },
    Refusal {
        name: "Forbidden",
        status: "403",
        codes: &[("account_suspended", "the token is that of a suspended person")],
        answers: |at, operation| takes_token(operation) && !OF_THE_SUSPENDED.contains(&at.path),
    },
    Refusal {
        name: "AdminRequired",
        status: "403",
        codes: &[("admin_required", "the caller is no administrator")],
        answers: |at, _| at.path.starts_with("/admin/"),
    },
    Refusal {
        name: "NotFound",
        status: "404",
        codes: &[("not_found", "there is no such thing, or it is not the caller's to see")],
        answers: |at, _| at.path.contains('{'),
    },
    Refusal {
        name: "OutsideIssuer",
        status: "404",
        codes: &[("not_found", "tokens come from an outside issuer, and this route does not exist")],
        answers: |at, _| at.service.keys.is_some(),
    },
    Refusal {
        name: "RequestTimeout",
        status: "408",
        codes: &[("body_timeout", "the body did not arrive in time")],
        answers: |_, operation| has_body(operation),
    },
    Refusal {
        name: "Conflict",
        status: "409",
        codes: &[("idempotency_in_progress", "the first request with this `Idempotency-Key` still runs")],
        answers: |at, _| at.is_guarded(),
    },
    Refusal {
        name: "PayloadTooLarge",
        status: "413",
        codes: &[("body_too_large", "the body is larger than 64 KiB")],
        answers: |at, _| at.is_change(),
    },
    Refusal {
        name: "UnsupportedMediaType",
        status: "415",
        codes: &[("unsupported_media_type", "the body is not `application/json`")],
        answers: |_, operation| has_body(operation),
    },
    Refusal {
        name: "Invalid",
        status: "422",
        codes: &[("invalid", "`errors` names each field at fault, and what is wrong with it")],
        answers: |_, operation| has_body(operation) || has_parameter(operation, "query", ""),
    },
    Refusal {
        name: "InvalidCursor",
        status: "422",
        codes: &[("invalid_cursor", "the cursor is not one this route gave")],
        answers: |_, operation| has_parameter(operation, "query", "cursor"),
    },
    Refusal {
        name: "IdempotencyMismatch",
        status: "422",
        codes: &[("idempotency_mismatch", "the `Idempotency-Key` was used with another body, or is not one")],
        answers: |at, _| at.is_guarded(),
    },
    Refusal {
        name: "TooManyRequests",
        status: "429",
        codes: &[("rate_limited", "a limit is used up; `Retry-After` says for how long")],
        answers: |at, operation| at.has_edge() && at.is_change() && takes_token(operation),
    },
];

/// Whether the operation names the status and nothing else of it.
pub fn is_bare(response: &Value) -> bool {
    response.is_object()
        && response.get("$ref").is_none()
        && response["description"].as_str().unwrap_or_default().is_empty()
}

fn has_body(operation: &Value) -> bool {
    operation.get("requestBody").is_some()
}

impl Refusal {
    /// It as a component.
    pub fn response(&self) -> Value {
        let mut response = json!({ "description": self.description(), "content": content() });
        for name in headers(self.status).iter().chain(&["X-Request-Id"]) {
            response["headers"][name] = reference("headers", name);
        }
        response
    }

    /// Adds it to what an operation says of its status.
    pub fn add(&self, response: &mut Value) {
        if response.is_null() || is_bare(response) {
            *response = reference("responses", self.name);
            return;
        }
        let own = response["description"].as_str().unwrap_or_default();
        let before = match response["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            Some(name) => ALL.iter().find(|other| other.name == name).map(Refusal::description),
            None => Some(own.to_owned()),
        };
        *response =
            json!({ "description": format!("{}; {}", before.unwrap_or_default(), self.description()) });
    }

    fn description(&self) -> String {
        let codes: Vec<String> = self.codes.iter().map(|(code, why)| format!("`{code}`: {why}")).collect();
        codes.join("; ")
    }
}

/// The headers of answers of this status, by name.
pub fn headers(status: &str) -> &'static [&'static str] {
    match status {
        "401" => &["WWW-Authenticate"],
        "429" => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        "503" => &["Retry-After"],
        _ => &[],
    }
}

/// A problem document as a body.
pub fn content() -> Value {
    json!({ "application/problem+json": { "schema": reference("schemas", "Problem") } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(name: &str) -> &'static Refusal {
        ALL.iter().find(|refusal| refusal.name == name).unwrap()
    }

    #[test]
    fn a_refusal_of_every_route_is_referred_to() {
        for mut response in [Value::Null, json!({ "description": "" })] {
            refusal("Conflict").add(&mut response);
            assert_eq!(response, json!({ "$ref": "#/components/responses/Conflict" }));
        }
    }

    #[test]
    fn codes_of_one_status_stand_side_by_side() {
        let mut response = json!({ "description": "`handle_taken`: it is somebody's" });
        refusal("Conflict").add(&mut response);
        let text = response["description"].as_str().unwrap();
        assert!(text.starts_with("`handle_taken`: it is somebody's; `idempotency_in_progress`: "), "{text}");
        let mut response = Value::Null;
        refusal("Invalid").add(&mut response);
        refusal("InvalidCursor").add(&mut response);
        let text = response["description"].as_str().unwrap();
        assert!(text.starts_with("`invalid`: ") && text.contains("; `invalid_cursor`: "), "{text}");
    }
}

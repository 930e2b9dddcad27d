//! The document of a service held against what it takes and answers. Every call of a native test
//! passes through here, so that neither can drift from the other.

use http::Method;
use serde_json::{Map, Value, json};

use super::Answer;
use crate::app::Service;
use crate::openapi;

/// The document of one service.
pub struct Contract {
    document: Value,
    /// Its schemas, with no member allowed that is not in them: clients must bear new ones, tests must not.
    strict: Value,
}

impl Contract {
    /// That of `service`.
    pub fn of(service: &Service) -> Self {
        let document = openapi::document(service);
        let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
        let strict = schemas.map(|(name, schema)| (name.clone(), strict(schema, &document))).collect();
        Self { document, strict: Value::Object(strict) }
    }

    /// Every documented path with its methods, upper case.
    pub fn operations(&self) -> Vec<(&str, Vec<String>)> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let methods = |item: &Value| {
            item.as_object().into_iter().flat_map(Map::keys).map(|key| key.to_uppercase()).collect()
        };
        paths.map(|(path, item)| (path.as_str(), methods(item))).collect()
    }

    /// Checks a call of a public route: a request that was taken, and its answer, are as documented.
    ///
    /// # Panics
    /// Where they are not.
    pub fn check(&self, method: &Method, uri: &str, sent: &Value, answer: &Answer) {
        let path = uri.split('?').next().unwrap_or(uri);
        let Some((template, operation)) = self.operation(method, path) else { return };
        let status = answer.status.to_string();
        let call = format!("{method} {uri} {status}");
        let response = self.resolve(&operation["responses"][&status]);
        if response.is_null() {
            assert!(answer.status >= 500, "{call} is not documented: {answer:?}");
            return;
        }
        let headers = response["headers"].as_object().into_iter().flatten();
        for (name, _) in headers.filter(|(_, header)| self.resolve(header)["required"] == true) {
            assert!(answer.headers.contains_key(name), "{call} without {name}");
        }
        let kind = answer
            .headers
            .get(http::header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok()?.split(';').next());
        let content = &response["content"];
        match kind {
            None => assert!(content.is_null() && answer.body.is_null(), "{call} has no body: {answer:?}"),
            // A refusal of HEAD, say.
            Some(kind) if answer.body.is_null() => assert!(content.get(kind).is_some(), "{call} is {kind}"),
            Some(kind) => {
                let schema = &content[kind]["schema"];
                assert!(!schema.is_null(), "{call} is {kind}, which is not documented");
                self.validate(&call, &strict(schema, &self.document), &self.strict, &answer.body);
            }
        }
        let taken = &operation["requestBody"]["content"]["application/json"]["schema"];
        if answer.status < 300 {
            self.check_path(&call, template, path, operation);
        }
        if answer.status < 300 && !taken.is_null() && !sent.is_null() {
            let schemas = &self.document["components"]["schemas"];
            self.validate(&format!("the body of {call}"), taken, schemas, sent);
        }
    }

    fn validate(&self, what: &str, schema: &Value, schemas: &Value, value: &Value) {
        let root = json!({ "allOf": [schema], "components": { "schemas": schemas } });
        let options =
            jsonschema::options().with_draft(jsonschema::Draft::Draft202012).should_validate_formats(true);
        let validator = options.build(&root).unwrap_or_else(|error| panic!("{what}: {error}"));
        let faults: Vec<String> =
            validator.iter_errors(value).map(|fault| format!("{} {fault}", fault.instance_path())).collect();
        assert!(faults.is_empty(), "{what} breaks its schema: {faults:#?}\n{value}");
    }

    /// What stands in `{}` of a path that was found is what the document says.
    fn check_path(&self, call: &str, template: &str, path: &str, operation: &Value) {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "path") {
            let name = format!("{{{}}}", parameter["name"].as_str().unwrap_or_default());
            let place = template.split('/').position(|part| part == name);
            let value = place.and_then(|place| path.split('/').nth(place));
            self.validate(&format!("{name} of {call}"), &parameter["schema"], &self.strict, &json!(value));
        }
    }

    fn operation(&self, method: &Method, path: &str) -> Option<(&str, &Value)> {
        let mut paths = self.document["paths"].as_object()?.iter();
        let exact = paths.clone().find(|(template, _)| *template == path);
        let (template, item) = exact.or_else(|| paths.find(|(template, _)| is_at(template, path)))?;
        Some((template, item.get(method.as_str().to_lowercase())?))
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        resolve(value, &self.document)
    }
}

fn resolve<'a>(value: &'a Value, document: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|path| path.strip_prefix('#'));
    pointer.map_or(value, |pointer| document.pointer(pointer).unwrap_or(&Value::Null))
}

/// Whether `path` is one of the template's.
fn is_at(template: &str, path: &str) -> bool {
    let (parts, given) = (template.split('/'), path.split('/'));
    parts.clone().count() == given.clone().count()
        && parts.zip(given).all(|(part, given)| part == given || part.starts_with('{') && !given.is_empty())
}

/// A schema with no member but those it names. What it is composed of stands in it then, since
/// each part alone would refuse the members of the others.
fn strict(schema: &Value, document: &Value) -> Value {
    match schema {
        Value::Object(object) => {
            let mut out: Map<String, Value> =
                object.iter().map(|(key, value)| (key.clone(), strict(value, document))).collect();
            if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
                let parts: Vec<&Value> = parts.iter().map(|part| resolve(part, document)).collect();
                out.insert("allOf".to_owned(), json!(parts));
            }
            if object.contains_key("properties") || object.contains_key("allOf") {
                out.insert("unevaluatedProperties".to_owned(), false.into());
            }
            Value::Object(out)
        }
        Value::Array(items) => items.iter().map(|item| strict(item, document)).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;
    use serde::Deserialize;
    use utoipa::ToSchema;

    use super::*;
    use crate::app::Relay;
    use crate::extract::Json;
    use crate::ids::Id;
    use crate::routes::Routes;

    #[derive(Deserialize, ToSchema)]
    struct ThingIn {
        #[expect(dead_code, reason = "only its form counts")]
        #[schema(max_length = 5)]
        name: String,
    }

    #[derive(ToSchema)]
    #[expect(dead_code, reason = "documents an answer")]
    struct Thing {
        id: Id,
        name: Option<String>,
    }

    #[utoipa::path(post, path = "/things", responses((status = 201, description = "It is made.", body = Thing)))]
    async fn create_thing(Json(_body): Json<ThingIn>) -> http::StatusCode {
        http::StatusCode::CREATED
    }

    static THINGS: Service = Service {
        name: "things",
        migrations: &[crate::events::CORE],
        routes: || Routes::new().public(crate::routes!(self::create_thing)),
        relay: Relay::AfterAnswer,
        tick: None,
        keys: None,
        identify: None,
        rebuild: None,
    };

    const ID: &str = "01a20052-fe97-7114-a1f4-07248e949f06";

    /// Whether the contract bears that a `POST /things` of `sent` is answered so.
    fn bears(sent: Value, status: u16, body: Value) -> bool {
        let mut headers = HeaderMap::new();
        let kind = if status < 400 { "application/json" } else { "application/problem+json" };
        headers.insert("content-type", kind.parse().unwrap());
        headers.insert("x-request-id", "r-1".parse().unwrap());
        let answer = Answer { status, headers, body, bytes: bytes::Bytes::new() };
        let contract = Contract::of(&THINGS);
        let check = || contract.check(&Method::POST, "/things", &sent, &answer);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(check)).is_ok()
    }

    #[test]
    fn an_answer_has_the_members_it_should_and_no_other() {
        let bears = |body: Value| bears(json!({ "name": "a" }), 201, body);
        assert!(bears(json!({ "id": ID, "name": "a" })));
        assert!(bears(json!({ "id": ID, "name": null })));
        assert!(!bears(json!({ "id": ID })), "what is null is never missing");
        assert!(!bears(json!({ "id": ID, "name": "a", "secret": 1 })));
        assert!(!bears(json!({ "id": "7", "name": "a" })));
        assert!(!bears(json!({ "id": ID, "name": 7 })));
    }

    #[test]
    fn what_is_taken_is_what_the_document_admits() {
        let made = json!({ "id": ID, "name": "a" });
        assert!(
            bears(json!({ "name": "abcde", "more": 1 }), 201, made.clone()),
            "unknown members are ignored"
        );
        assert!(!bears(json!({ "name": "abcdef" }), 201, made.clone()));
        assert!(!bears(json!({}), 201, made));
    }

    #[test]
    fn a_status_that_is_not_documented_is_noticed() {
        let problem = |status: u16| json!({ "type": "/docs#x", "title": "X", "status": status, "detail": "X.", "code": "x", "requestId": "r-1" });
        assert!(bears(json!({}), 422, problem(422)));
        assert!(!bears(json!({}), 418, problem(418)));
        assert!(!bears(json!({}), 200, json!({ "id": ID, "name": null })));
        assert!(!bears(json!({}), 401, problem(401)), "without the challenge");
    }
}

//! The document of a service (OpenAPI 3.1): what its handlers say of themselves, completed by what
//! holds on every route, so that no handler repeats it.
//!
//! A handler's `#[utoipa::path]` names method, path, parameters and its own answers. What follows from
//! the shape of an operation is added here: refusals (`refusals.rs`), headers, the token (needed unless
//! `security` says otherwise), path parameters (an id, unless `params` says otherwise).
//!
//! A refusal of the handler's own is written as its codes alone, ``(status = 409, description =
//! "`email_taken`: ...")``; codes of every route, headers and the problem document as its body are added.
//! Its status alone, `(status = 429)`, means that of every route where none follows from the shape.

mod refusals;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use crate::app::Service;
use crate::error::{FieldError, Problem};
use crate::ids::Id;

/// Parameters, headers and answers that operations refer to.
const COMMON: &str = include_str!("common.json");
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];
const BEARER: &str = "bearerAuth";

/// The public part of a service. It takes milliseconds, so nobody builds it for each request.
pub fn document(service: &Service) -> Value {
    let mut document = json!((service.routes)().into_openapi());
    let mut components: Value = serde_json::from_str(COMMON).unwrap_or_default();
    let mut schemas = document["components"]["schemas"].take();
    let sent = schemas_sent(&document["paths"], &schemas);
    for (name, schema) in members(&mut schemas) {
        if !sent.contains(name) {
            require_all(schema);
        }
    }
    refer_to_components(&mut schemas);
    // After the others: its `errors` alone is absent at times.
    schemas["Id"] = json!(Id::schema());
    schemas["Problem"] = json!(Problem::schema());
    schemas["FieldError"] = json!(FieldError::schema());
    for refusal in refusals::ALL {
        components["responses"][refusal.name] = refusal.response();
    }
    components["schemas"] = schemas;
    document["components"] = components;
    for (path, item) in members(&mut document["paths"]) {
        for (method, operation) in members(item).filter(|(key, _)| METHODS.contains(&key.as_str())) {
            Operation { method, path, service }.complete(operation);
        }
    }
    document
}

struct Operation<'a> {
    method: &'a str,
    path: &'a str,
    service: &'a Service,
}

impl Operation<'_> {
    fn complete(&self, operation: &mut Value) {
        operation["tags"] = json!([self.service.name]);
        if operation.get("security").is_none() {
            operation["security"] = json!([{ BEARER: [] }]);
        }
        self.add_parameters(operation);
        if has_etag(operation) {
            operation["responses"]["304"] = reference("responses", "NotModified");
        }
        for refusal in refusals::ALL {
            let is_named = refusals::is_bare(&operation["responses"][refusal.status]);
            if is_named || (refusal.answers)(self, operation) {
                refusal.add(&mut operation["responses"][refusal.status]);
            }
        }
        self.add_headers(operation);
    }

    fn add_parameters(&self, operation: &mut Value) {
        for name in self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
            if !has_parameter(operation, "path", name) {
                let schema = reference("schemas", "Id");
                let id = json!({ "name": name, "in": "path", "required": true, "schema": schema });
                add_parameter(operation, id);
            }
        }
        if self.is_guarded() {
            add_parameter(operation, reference("parameters", "Idempotency-Key"));
        }
    }

    /// Headers of every answer that is the operation's own, and the body of its refusals.
    fn add_headers(&self, operation: &mut Value) {
        let mut of_success = Vec::new();
        if has_etag(operation) {
            of_success.push("ETag");
        }
        if operation["responses"].get("429").is_some() {
            of_success.extend(["RateLimit", "RateLimit-Policy"]);
        }
        if self.is_guarded() {
            of_success.push("Idempotency-Replayed");
        }
        for (status, response) in members(&mut operation["responses"]) {
            if response.get("$ref").is_some() {
                continue;
            }
            let is_refusal = status.as_str() >= "400";
            let headers = match is_refusal {
                true => refusals::headers(status),
                false if status.starts_with('2') => &of_success,
                // A redirection names another place, and says nothing of it.
                false => &[],
            };
            for name in headers.iter().chain(&["X-Request-Id"]) {
                response["headers"][name] = reference("headers", name);
            }
            if is_refusal && response.get("content").is_none() {
                response["content"] = refusals::content();
            }
        }
    }

    /// Whether the service looks at tokens and limits: one without a database does not.
    fn has_edge(&self) -> bool {
        !self.service.migrations.is_empty()
    }

    fn is_change(&self) -> bool {
        self.method != "get"
    }

    /// Whether it takes an Idempotency-Key.
    fn is_guarded(&self) -> bool {
        self.method == "post" && self.has_edge()
    }
}

/// Whether it takes a token of somebody, needed or not.
fn takes_token(operation: &Value) -> bool {
    operation["security"].as_array().is_some_and(|ways| ways.iter().any(|way| way.get(BEARER).is_some()))
}

fn has_etag(operation: &Value) -> bool {
    has_parameter(operation, "header", "If-None-Match")
}

fn add_parameter(operation: &mut Value, parameter: Value) {
    match operation["parameters"].as_array_mut() {
        Some(parameters) => parameters.push(parameter),
        None => operation["parameters"] = json!([parameter]),
    }
}

fn has_parameter(operation: &Value, place: &str, name: &str) -> bool {
    let mut parameters = operation["parameters"].as_array().into_iter().flatten();
    parameters.any(|one| one["in"] == place && (name.is_empty() || one["name"] == name))
}

fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// The members of an object; of anything else none.
fn members(value: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    value.as_object_mut().into_iter().flat_map(Map::iter_mut)
}

/// Names of the schemas that clients send: what is not required there may be left out.
fn schemas_sent(paths: &Value, schemas: &Value) -> BTreeSet<String> {
    let mut sent = BTreeSet::new();
    let operations = paths.as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    for operation in operations.flat_map(Map::values) {
        collect_references(&operation["requestBody"], schemas, &mut sent);
    }
    sent
}

fn collect_references(within: &Value, schemas: &Value, found: &mut BTreeSet<String>) {
    match within {
        Value::Object(object) => {
            let name = object.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
            if let Some(name) = name
                && found.insert(name.to_owned())
            {
                collect_references(&schemas[name], schemas, found);
            }
            object.values().for_each(|value| collect_references(value, schemas, found));
        }
        Value::Array(items) => items.iter().for_each(|item| collect_references(item, schemas, found)),
        _ => {}
    }
}

/// utoipa writes out the arguments of a generic type; where they are a component, they refer to it.
/// And it calls null the default of what may be left out, null or not.
fn refer_to_components(schemas: &mut Value) {
    let known = schemas.as_object().cloned().unwrap_or_default();
    for (_, schema) in members(schemas) {
        // In one order, whether they were required before or are since it is an answer.
        if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
            required.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
        }
        members(schema).for_each(|(_, part)| refer(part, &known));
    }
}

fn refer(schema: &mut Value, known: &Map<String, Value>) {
    if schema["default"].is_null()
        && let Some(object) = schema.as_object_mut()
    {
        object.remove("default");
    }
    let is_composed = schema.get("properties").is_some() || schema.get("allOf").is_some();
    if let Some((name, _)) = known.iter().find(|(_, other)| is_composed && *other == schema) {
        *schema = reference("schemas", name);
        return;
    }
    match schema {
        Value::Object(object) => object.values_mut().for_each(|part| refer(part, known)),
        Value::Array(parts) => parts.iter_mut().for_each(|part| refer(part, known)),
        _ => {}
    }
}

/// In an answer nothing is ever missing: what there is none of is null.
fn require_all(schema: &mut Value) {
    if let Some(properties) = schema["properties"].as_object() {
        schema["required"] = properties.keys().cloned().collect();
    }
    match schema {
        Value::Object(object) => object.values_mut().filter(|value| !value.is_null()).for_each(require_all),
        Value::Array(items) => items.iter_mut().for_each(require_all),
        _ => {}
    }
}

//! The router and its document.

use crate::world;

#[tokio::test]
async fn routes_and_document_are_the_same() {
    world().await.check_routes("users").await;
}

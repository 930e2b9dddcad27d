//! The router and its document.

use crate::common::town;

#[tokio::test]
async fn routes_and_document_are_the_same() {
    town().await.world.check_routes("social").await;
}

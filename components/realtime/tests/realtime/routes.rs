//! The router and its document.

use crate::start;

#[tokio::test]
async fn routes_and_document_are_the_same() {
    start().await.world.check_routes("realtime").await;
}

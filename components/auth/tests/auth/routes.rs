//! The router and its document.

use crate::support::house;

#[tokio::test]
async fn routes_and_document_are_the_same() {
    house(&[]).await.world.check_routes("auth").await;
}

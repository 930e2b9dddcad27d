use crate::start;

#[tokio::test]
async fn the_document_has_every_route_and_every_route_is_in_the_document() {
    start().await.world.check_routes("analytics").await;
}

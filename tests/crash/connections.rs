//! PostgreSQL ends our connections, and is itself killed and started again, while it sends. The server lives on.

use crate::{
    books::{self, InFlight, all_accepted},
    cluster::Cluster,
    house::House,
    place::{self, Server},
};
use reachwire::fetch;
use sqlx::Connection;

/// Ends all connections of the house's database but the one that asks; how many.
async fn end_connections(url: &str) -> i64 {
    let mut admin = sqlx::PgConnection::connect(url).await.unwrap();
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity \
               where datname = current_database() and pid <> pg_backend_pid()";
    let (ended,): (i64,) = sqlx::query_as(sql).fetch_one(&mut admin).await.unwrap();
    admin.close().await.unwrap();
    ended
}

/// All ends by itself, before any lease does: no commit whose answer was lost has left a batch that nobody holds, and no
/// outcome was ever unknown.
async fn to_the_end(house: &House, id: &str) {
    house.finished(id).await;
    books::agree(house, id, &InFlight::new(), &all_accepted()).await;
    books::receipts(house, id).await;
    let unknown = "select count(*) from send_attempts where send_id = $1 and outcome = 'unknown'";
    assert_eq!(fetch!(house.db, one, (i64,), unknown, id).unwrap().0, 0);
}

async fn still_lives(house: &House, mut server: Server) {
    assert!(server.ended().is_none(), "it died: {}", house.place.log());
    server.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_ended_in_the_middle() {
    let Some(url) = place::empty_database().await else { return };
    let mut house = House::new(Some(url.clone())).await;
    let server = house.start(None).await;
    let id = house.submit("ended connections").await;
    let mut ended = 0;
    for accepted in [1, 300, 600, 900, 1_200, 1_500] {
        place::wait("far enough", async || (house.progress(&id).await.accepted >= accepted).then_some(())).await;
        ended += end_connections(&url).await;
    }
    assert!(ended > 6, "only {ended} connections");
    to_the_end(&house, &id).await;
    still_lives(&house, server).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_restarted_in_the_middle() {
    let Some(cluster) = Cluster::start() else { return };
    let mut house = House::new(Some(cluster.url())).await;
    let server = house.start(None).await;
    let id = house.submit("restarted").await;
    for accepted in [300, 1_000] {
        place::wait("far enough", async || (house.progress(&id).await.accepted >= accepted).then_some(())).await;
        assert!(cluster.down());
        cluster.up();
    }
    to_the_end(&house, &id).await;
    still_lives(&house, server).await;
}

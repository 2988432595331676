//! Serves the portal alone, over the sample data of its tests, for whoever changes a template or the style sheet:
//! `cargo run -p portreeve-portal --example preview`. Nothing else of the product is built or started.

use std::io::Write;

use portreeve_core::id::UserId;

#[path = "../tests/it/samples.rs"]
mod samples;
#[path = "../tests/it/world.rs"]
mod world;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let world = world::World::empty(&origin).await?;
    samples::fill(&world).await?;
    let mut out = std::io::stdout();
    writeln!(out, "{origin}/")?;
    for (who, user) in [("manager", UserId::LOCAL_ADMIN), ("developer", world::DEVELOPER)] {
        writeln!(
            out,
            "{who}: {origin}/admin/welcome?link={}",
            world.link(user).await?
        )?;
    }
    axum::serve(listener, world.router.clone()).await?;
    Ok(())
}

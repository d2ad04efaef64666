#[cfg(feature = "ssr")]
#[tokio::main]
async fn main() -> std::process::ExitCode {
    match reachwire::commands::run().await {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("reachwire: {error}");
            std::process::ExitCode::FAILURE
        }
    }
}

/// The browser's half is the library; cargo still asks for a main.
#[cfg(not(feature = "ssr"))]
fn main() {}

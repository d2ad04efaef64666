//! Where the built site (wasm, styles) lies: beside the executable in a package, under target in a checkout.

use leptos::config::LeptosOptions;
use std::path::PathBuf;

pub fn leptos_options() -> LeptosOptions {
    let beside = std::env::current_exe().ok().and_then(|exe| exe.parent().map(PathBuf::from)).unwrap_or_default();
    let built = [beside.join("site"), beside.join("../site")].into_iter().find(|folder| folder.is_dir());
    let site_root = std::env::var("LEPTOS_SITE_ROOT").ok().or_else(|| Some(built?.to_string_lossy().into_owned()));
    let site_root = site_root.unwrap_or_else(|| "target/site".into());
    LeptosOptions::builder()
        .output_name("reachwire")
        .site_root(site_root)
        .site_pkg_dir("pkg")
        // cargo-leptos writes the manifest of hashed names beside the executable, in release builds alone.
        .hash_files(beside.join("hash.txt").is_file())
        .hash_file("hash.txt".into())
        .build()
}

/// Where the built site should be, when it is not there.
pub fn missing(options: &LeptosOptions) -> Option<String> {
    let folder = PathBuf::from(&*options.site_root).join(&*options.site_pkg_dir);
    (!folder.is_dir()).then(|| folder.display().to_string())
}

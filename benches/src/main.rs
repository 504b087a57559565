fn main() -> anyhow::Result<()> {
    let bundler = mirra_runtime::init()?;
    let wb = mirra_benches::Workbench { cache_folder: "/tmp/mirra-bench-cache".into(), bundler };
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
        if std::env::args().nth(2).is_some() {
            println!("{}", mirra_benches::limits(&wb, 41).await?);
        } else {
            println!("{}", mirra_benches::cold_start(&wb, std::env::args().nth(1).and_then(|a| a.parse().ok()).unwrap_or(2000)).await?);
        }
        Ok(())
    })
}

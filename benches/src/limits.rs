//! What the limits cost: CPU-bound handlers with all of them on, against the same with metering compiled out.

use anyhow::Result;
use mirra_host_sdk::Limits;
use mirra_runtime::Metering;

use crate::{
    Figure, Lang, Report, Workbench,
    report::{cpu_time_ms, percentile},
    subject::KINDS,
    workbench::{invoke, json, prepare},
};

pub async fn limits(workbench: &Workbench, lang: Lang, rounds: usize) -> Result<Report> {
    let subject = lang.subject();
    let folder = tempfile::tempdir()?;
    let (on, off) = (workbench.executor(Metering::On).await?, workbench.executor(Metering::Off).await?);
    let handler_on = prepare(&on, folder.path(), &subject.file("cpu"), subject.cpu).await?;
    let handler_off = prepare(&off, folder.path(), &subject.file("cpu"), subject.cpu).await?;
    let mut figures = Vec::new();
    let mut overheads = Vec::new();
    for kind in KINDS {
        let event = json(&format!(r#"{{"work":"{kind}"}}"#))?;
        let (mut with, mut without) = (Vec::new(), Vec::new());
        // In turn, so that the machine's moods hit both alike.
        for _ in 0..rounds {
            for (executor, handler, samples) in [(&on, &handler_on, &mut with), (&off, &handler_off, &mut without)] {
                let began = cpu_time_ms();
                invoke(executor, handler, &event, Limits::default()).await?;
                samples.push(cpu_time_ms() - began);
            }
        }
        let mut ratios: Vec<f64> = with.iter().zip(&without).map(|(with, without)| with / without).collect();
        let overhead = (percentile(&mut ratios, 0.5) - 1.0) * 100.0;
        overheads.push(overhead);
        figures.push(Figure::low(format!("{kind}, limits on, p50"), percentile(&mut with, 0.5), "ms"));
        figures.push(Figure::low(format!("{kind}, limits off, p50"), percentile(&mut without, 0.5), "ms"));
        figures.push(Figure::low(format!("{kind}, overhead, median of pairs"), overhead, "%"));
    }
    let mean = overheads.iter().sum::<f64>() / overheads.len() as f64;
    figures.push(Figure::low("overhead, mean of the kinds", mean, "%").promised((20.0, 5.0)));
    Ok(Report { bench: "limits", figures })
}

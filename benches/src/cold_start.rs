//! How long a call takes that gets an instance of its own: store, instance, handler, result, and taking it down again.

use std::{path::Path, time::Instant};

use anyhow::Result;
use mirra_host_sdk::Limits;
use mirra_runtime::Metering;

use crate::{
    Figure, Lang, Report, Workbench,
    report::percentile,
    subject::SMALL_EVENT,
    workbench::{invoke, json, prepare},
    workerd::new_isolate_us,
};

const WARM_UP: usize = 200;

/// `workerd`: the program to compare with, if there is one.
pub async fn cold_start(workbench: &Workbench, lang: Lang, calls: usize, workerd: Option<&Path>) -> Result<Report> {
    let subject = lang.subject();
    let executor = workbench.executor(Metering::On).await?;
    let folder = tempfile::tempdir()?;
    let handler = prepare(&executor, folder.path(), &subject.file("small"), subject.small).await?;
    let event = json(SMALL_EVENT)?;
    let (mut whole, mut instance) = (Vec::new(), Vec::new());
    for call in 0..WARM_UP + calls {
        let began = Instant::now();
        let outcome = invoke(&executor, &handler, &event, Limits::default()).await?;
        let took_us = began.elapsed().as_nanos() as f64 / 1000.0;
        if call >= WARM_UP {
            whole.push(took_us);
            instance.push(outcome.usage.cold_start_us as f64);
        }
    }
    let cold_us = percentile(&mut whole, 0.5);
    let mut figures = vec![
        Figure::low("cold call, p50", cold_us, "us").promised(subject.cold_p50_us),
        Figure::low("cold call, p99", percentile(&mut whole, 0.99), "us").promised(subject.cold_p99_us),
        Figure::low("instance alone, p50", percentile(&mut instance, 0.5), "us"),
        Figure::low("instance alone, p99", percentile(&mut instance, 0.99), "us"),
    ];
    if let Some(program) = workerd {
        let isolate_us = new_isolate_us(program).await?;
        figures.push(Figure::low("new isolate of workerd, p50", isolate_us, "us"));
        figures.push(Figure::high("a cold call is faster than that", isolate_us / cold_us, "times").promised((100.0, 300.0)));
    }
    Ok(Report { bench: "cold-start", figures })
}

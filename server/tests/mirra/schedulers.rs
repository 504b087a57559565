//! The examples of `examples/schedulers/`, as their schedulers run them, against a real server. What they need of Python is installed by
//! `cargo xtask test`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;
use tempfile::{TempDir, tempdir};

use crate::{
    control::OWNER_KEY,
    support::{Ended, Server, run, write},
};

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("examples/schedulers").join(path)
}

fn text(path: &str) -> String {
    fs::read_to_string(example(path)).unwrap()
}

/// A server with the handler that all examples call, and a clock that stands.
struct Bed {
    server: Server,
    folder: TempDir,
}

const HELLO: &str = "export const handler = (event, context) => {
  console.log('hello', event.name);
  if (event.name === 'nobody') throw new Error('there is nobody');
  return { greeting: `Hello, ${event.name}!` };
};
";

impl Bed {
    fn start() -> Bed {
        let folder = tempdir().unwrap();
        write(folder.path().join("handlers/hello.js"), HELLO);
        write(folder.path().join("bin/date"), format!("#!/bin/sh\necho {}\n", mirra_host_sdk::new_execution_id()));
        run(Command::new("chmod").arg("+x").arg(folder.path().join("bin/date")), "");
        let handlers = folder.path().join("handlers");
        let server = Server::start_with(&[&handlers], &[], |command| _ = command.env("MIRRA_OWNER_KEY", OWNER_KEY));
        Bed { server, folder }
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = std::env::var("PATH").unwrap();
        command.env("PATH", format!("{}:{path}", self.folder.path().join("bin").display()));
        command.env("MIRRA_URL", format!("http://{}", self.server.address)).env("MIRRA_KEY", OWNER_KEY);
        command.current_dir(self.folder.path());
        command
    }

    /// A Python program with what `requirements.txt` names.
    fn python(&self, folder: &str, program: &str) -> Ended {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let python = target.join("schedulers/bin/python");
        assert!(python.exists(), "there is no {}: cargo xtask test makes it", python.display());
        let mut command = self.command(python);
        command.env("PYTHONPATH", example(folder)).env("PYTHONDONTWRITEBYTECODE", "1").env("AIRFLOW_HOME", self.folder.path());
        run(command.args(["-c", program]), "")
    }

    fn calls(&self, code: &str) -> f64 {
        self.server.metric(&format!("mirra_calls_total{{code=\"{code}\",handler=\"hello\"}}"))
    }
}

#[track_caller]
fn succeeded(ended: &Ended) {
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
}

#[test]
fn cron() {
    let bed = Bed::start();
    let crontab = text("cron/crontab");
    let line = crontab.lines().find(|line| line.starts_with("*/5 ")).unwrap();
    // As cron reads it: five fields, and a percent sign that is none has a backslash.
    let command = line.splitn(6, ' ').nth(5).unwrap();
    assert!(!command.replace("\\%", "").contains('%'), "{command}");
    let command = command.replace("\\%", "%");
    let tick = |command: &str| run(bed.command("/bin/sh").args(["-c", command]), "");
    for ended in [tick(&command), tick(&command)] {
        succeeded(&ended);
        assert_eq!(ended.stdout, "", "cron would send it by mail");
    }
    assert_eq!(bed.calls("OK"), 1.0, "the same minute runs once");
    let failed = tick(&command.replace(r#""name":"cron""#, r#""name":"nobody""#).replace("hello $", "other $"));
    assert!(failed.code == 1 && failed.stdout.contains("there is nobody"), "{}", failed.stdout);
}

#[test]
fn systemd() {
    let bed = Bed::start();
    let units = ["systemd/mirra-hello.service", "systemd/mirra-hello.timer"].map(example);
    match Command::new("systemd-analyze").arg("verify").arg("--man=no").args(&units).output() {
        Ok(verified) => assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr)),
        Err(error) => eprintln!("the units are not verified here: {error}"),
    }
    let service = text("systemd/mirra-hello.service");
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
    // Its quotes are those of a shell.
    let start = start.replace("/usr/local/lib/mirra/invoke.sh", example("systemd/invoke.sh").to_str().unwrap());
    let tick = |start: &str| run(bed.command("/bin/sh").args(["-c", start]), "");
    let ended = [tick(&start), tick(&start)];
    ended.iter().for_each(succeeded);
    assert_eq!((ended[0].json()["result"]["greeting"].as_str(), &ended[0].stdout), (Some("Hello, systemd!"), &ended[1].stdout));
    assert_eq!(bed.calls("OK"), 1.0, "the same hour runs once");
    let conflict = tick(&start.replace("systemd\"}", "nobody\"}"));
    assert!(conflict.code == 75 && conflict.stdout.contains("CONFLICT"), "{}", conflict.stdout);
    write(bed.folder.path().join("bin/date"), format!("#!/bin/sh\necho {}\n", mirra_host_sdk::new_execution_id()));
    assert_eq!(tick(&start.replace("systemd\"}", "nobody\"}")).code, 1);
}

#[test]
fn github_actions() {
    let bed = Bed::start();
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1])), default=str))";
    let workflow = bed.python("", &read.replace("sys.argv[1]", &format!("{:?}", example("github-actions/mirra.yml"))));
    let workflow = workflow.json();
    let step = &workflow["jobs"]["hello"]["steps"][0];
    // GitHub fills in what `env` names, and runs the step so.
    let tick = |script: &str, run_id: &str| {
        run(bed.command("bash").args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).env("RUN", run_id), "")
    };
    let script = step["run"].as_str().unwrap();
    assert_eq!(step["env"]["MIRRA_URL"], "${{ secrets.MIRRA_URL }}");
    assert!(!script.contains("${{"), "what is filled into a script can be more than text");
    let run_id = mirra_host_sdk::new_execution_id();
    [tick(script, &run_id), tick(script, &run_id)].iter().for_each(succeeded);
    assert_eq!(bed.calls("OK"), 1.0);
    assert_ne!(tick(&script.replace("GitHub", "nobody"), &mirra_host_sdk::new_execution_id()).code, 0);
}

#[test]
fn airflow() {
    let bed = Bed::start();
    let program = r#"
import json, mirra_hello
from airflow.sdk.exceptions import AirflowFailException
dag = mirra_hello.mirra_hello()
assert dag.dag_id == "mirra_hello" and dag.schedule == "*/15 * * * *", dag.schedule
hello = dag.get_task("hello")
answers = [hello.python_callable(run_id="RUN") for _ in range(2)]
try:
    mirra_hello.invoke("hello", {"name": "nobody"}, "RUN nobody")
except AirflowFailException as failure:
    answers.append(str(failure))
print("\n" + json.dumps(answers))
"#;
    let ended = bed.python("airflow", &program.replace("RUN", &mirra_host_sdk::new_execution_id()));
    succeeded(&ended);
    let answers: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&answers[0]["greeting"], &answers[1]), (&"Hello, Airflow!".into(), &answers[0]));
    assert!(answers[2].as_str().unwrap().contains("there is nobody"), "{answers}");
    assert_eq!((bed.calls("OK"), bed.calls("HANDLER_ERROR")), (1.0, 1.0));
}

#[test]
fn temporal() {
    let bed = Bed::start();
    let program = r#"
import dataclasses, json
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import Worker
from mirra_activity import Call, Hello, invoke
environment = ActivityEnvironment()
environment.info = dataclasses.replace(environment.info, workflow_run_id="RUN")
beats = []
environment.on_heartbeat = lambda *details: beats.append(details)
answers = [environment.run(invoke, Call("hello", {"name": "Temporal"})) for _ in range(2)]
environment.info = dataclasses.replace(environment.info, activity_id="another")
try:
    environment.run(invoke, Call("hello", {"name": "nobody"}))
except ApplicationError as failure:
    answers.append([failure.type, failure.message, failure.non_retryable])
print(json.dumps([answers, beats]))
"#;
    let ended = bed.python("temporal", &program.replace("RUN", &mirra_host_sdk::new_execution_id()));
    succeeded(&ended);
    let (answers, beats) = serde_json::from_str::<(Value, Value)>(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&answers[0]["greeting"], &answers[1]), (&"Hello, Temporal!".into(), &answers[0]));
    assert_eq!(answers[2], serde_json::json!(["HANDLER_ERROR", "there is nobody", true]));
    assert!(beats.to_string().contains("hello Temporal"), "{beats}");
    assert_eq!((bed.calls("OK"), bed.calls("HANDLER_ERROR")), (1.0, 1.0));
}

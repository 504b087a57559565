//! Resolution with pip and the real index, for a few small packages.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::process::Command;

use common::{Phases, folder, lay_out, paths, python, refusal, required, resolve};
use mirra_wheels::{Engine, Error, Packages, Phase, Resolver};

/// Runs a line of Python with these packages and nothing else.
fn run(packages: &Packages, line: &str) -> String {
    let site = lay_out(packages);
    let program = format!("import sys; sys.path.insert(0, {:?}); {line}", site.path());
    let output = Command::new("python3").args(["-I", "-S", "-c", &program]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn version<'a>(packages: &'a Packages, name: &str) -> &'a str {
    &packages.lock.packages.iter().find(|locked| locked.name == name).expect("is there").version
}

#[tokio::test]
async fn common_packages_work_and_are_kept() {
    let cache = folder(&[]);
    let resolver = Resolver::from_env().with_cache(cache.path()).unwrap();
    let requirements = required(&["six==1.17.0", "tenacity", "jinja2", "pyyaml"]);
    let phases = Phases::default();
    let packages = resolver.resolve(&requirements, &python(), &|phase| phases.note(phase)).await.unwrap();
    assert!(phases.all().contains(&Phase::Fetching { done: 5, of: 5 }));
    assert!(paths(&packages).is_sorted());
    assert!(paths(&packages).iter().all(|path| !path.ends_with(".so") && !path.ends_with("/RECORD")));
    let left_out: Vec<&str> =
        packages.lock.packages.iter().filter(|locked| !locked.left_out.is_empty()).map(|locked| locked.name.as_str()).collect();
    assert_eq!(left_out, ["markupsafe", "pyyaml"]);
    let line = "import jinja2, yaml, six, tenacity; from importlib.metadata import version; \
                print(jinja2.Template('{{ a|e }}').render(a='<'), yaml.safe_load('a: [1, 2]'), version('six'), version('MarkupSafe'))";
    assert_eq!(run(&packages, line), format!("&lt; {{'a': [1, 2]}} 1.17.0 {}", version(&packages, "markupsafe")));

    // A second time there is neither pip nor a network.
    let without = resolver.with_python("/nonexistent").with_env("PIP_PROXY", "http://127.0.0.1:1");
    let again = without.resolve(&requirements, &python(), &|phase| panic!("{phase:?}")).await.unwrap();
    assert!(again.is_cached);
    assert_eq!((again.files, again.lock), (packages.files, packages.lock));
}

#[tokio::test]
async fn what_depends_on_native_code_is_taken_as_it_was_before() {
    let packages = resolve(&Resolver::from_env(), &["pydantic"]).await.unwrap();
    assert!(version(&packages, "pydantic").starts_with("1.10."));
    assert!(packages.notes[0].contains("is in pydantic-core"), "{:?}", packages.notes);
    let line = "import pydantic; print(pydantic.create_model('M', a=(int, ...))(a='1').a)";
    assert_eq!(run(&packages, line), "1");
    let error = refusal(&Resolver::from_env(), &["pydantic>=2"]).await;
    assert!(matches!(error, Error::Native { .. }));
    assert!(error.to_string().contains("(needed by pydantic) is native code"), "{error}");
    assert!(error.to_string().ends_with("pydantic<2 is pure Python"), "{error}");
}

#[tokio::test]
async fn wheels_of_an_older_python_serve_where_only_python_is_taken_from_them() {
    let packages = resolve(&Resolver::from_env(), &["markupsafe==2.1.5"]).await.unwrap();
    assert!(packages.lock.packages[0].file.contains("-cp312-cp312-"), "{:?}", packages.lock);
    assert_eq!(run(&packages, "import markupsafe; print(markupsafe.escape('<'))"), "&lt;");
}

#[tokio::test]
async fn what_the_index_does_not_have_is_told() {
    let resolver = Resolver::from_env();
    let error = refusal(&resolver, &["mirra-has-no-such-package"]).await;
    assert!(matches!(error, Error::NotFound(_)), "{error}");
    let error = refusal(&resolver, &["six==99"]).await;
    assert!(matches!(&error, Error::NoVersion { available, .. } if available.contains(&"1.17.0".to_owned())), "{error}");
    let error = refusal(&resolver, &["six==1.17.0", "six<1.17"]).await;
    assert!(matches!(error, Error::Conflict { .. }), "{error}");
    let error = refusal(&resolver, &["docopt"]).await;
    assert!(error.to_string().starts_with("docopt cannot be used: it is published as source only"), "{error}");
}

#[tokio::test]
async fn native_packages_are_refused_by_name() {
    let error = refusal(&Resolver::from_env(), &["orjson"]).await;
    assert!(matches!(&error, Error::Native { packages, .. } if packages[0].name == "orjson"), "{error}");
    let engine = Engine { elsewhere: vec!["ujson".into()], ..python() };
    let error = Resolver::from_env().resolve(&required(&["six", "ujson"]), &engine, &|_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::Elsewhere(needed) if needed.what == "ujson"), "{error}");
    assert_eq!(error.place().map(|place| place.line), Some(2));
}

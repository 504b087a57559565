//! rolldown, set up for handlers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rolldown::{
    AttachDebugInfo, BundleFactory, BundleFactoryOptions, BundleOutput, BundlerOptions, BundlerTransformOptions, ChecksOptions,
    CodeSplittingMode, CommentsOptions, Either, ExperimentalOptions, OutputFormat, Platform, RawMinifyOptions, SourceMapType, TsConfig,
};
use rolldown_common::{Output, merge_tsconfig};
use rolldown_error::{BatchedBuildDiagnostic, BuildResult};
use rolldown_resolver::Resolver;

use crate::{
    Bundle, Diagnostic, Request, entry,
    explain::{explain, explain_tsconfig, is_fatal, warning},
    folder::Folder,
    plugin::HandlerPlugin,
    variants::Variants,
};

/// Bundles next to nothing, so that the next bundle finds code and tables in memory: it saves a fifth of its time.
pub(crate) async fn rehearse() {
    if let Ok(folder) = Folder::open(PathBuf::from("/"), None, 0) {
        let script = "data:text/javascript,export const handler = async () => ({});";
        let options = options(&folder, script.to_string(), BundlerTransformOptions::default());
        let (resolver, variants) = Variants::of(&folder, &[]);
        let plugin = HandlerPlugin::new(&[], true, variants, folder.clone());
        let _ = generate(&folder, resolver, options, plugin).await;
    }
}

/// Bundles in this process: only a child that may die of it calls this.
pub(crate) async fn bundle(request: &Request, max_source_bytes: u64) -> Result<Bundle, Vec<Diagnostic>> {
    let (folder, file) = entry::locate(&request.path, request.packages.as_deref(), max_source_bytes).map_err(|d| vec![d])?;
    let outcome = build(&folder, &file, &request.builtins).await;
    let problems = folder.take_problems();
    let mut diagnostics = match outcome {
        Ok(bundle) if problems.is_empty() => return Ok(bundle),
        Err(diagnostics) if problems.is_empty() => diagnostics,
        // What is wrong with a file says more than that it could not be loaded.
        _ => problems,
    };
    diagnostics.sort();
    diagnostics.dedup();
    Err(diagnostics)
}

async fn build(folder: &Folder, file: &Path, builtins: &[String]) -> Result<Bundle, Vec<Diagnostic>> {
    let (resolver, variants) = Variants::of(folder, builtins);
    let transform = transform(&resolver, folder, file)?;
    let legacy_decorators = transform.decorator.as_ref().and_then(|d| d.legacy) == Some(true);
    let plugin = HandlerPlugin::new(builtins, legacy_decorators, variants, folder.clone());
    let input = format!("./{}", folder.name(file));
    let options = options(folder, input, transform);
    let explain_all = |errors: BatchedBuildDiagnostic| {
        let errors = errors.into_vec().into_iter();
        errors.map(|error| explain(error, folder)).collect::<Vec<_>>()
    };
    let output = generate(folder, resolver, options, plugin).await.map_err(explain_all)?;

    // What would be undefined or missing when the handler runs is an error now.
    let (fatal, remarks): (Vec<_>, Vec<_>) = output.warnings.into_iter().partition(is_fatal);
    if !fatal.is_empty() {
        return Err(explain_all(fatal.into()));
    }
    let mut chunks = output.assets.into_iter().filter_map(|output| match output {
        Output::Chunk(chunk) => Some(chunk),
        Output::Asset(_) => None,
    });
    let (Some(chunk), None) = (chunks.next(), chunks.next()) else {
        return Err(vec![Diagnostic::new("the handler is not one module")]);
    };
    Ok(Bundle {
        code: chunk.code.clone(),
        source_map: chunk.map.as_ref().map(|map| map.to_json_string()).unwrap_or_default(),
        inputs: folder.inputs(),
        warnings: remarks.into_iter().filter_map(|remark| warning(remark, folder)).collect(),
    })
}

async fn generate(
    folder: &Folder,
    resolver: Resolver<Folder>,
    bundler_options: BundlerOptions,
    plugin: HandlerPlugin,
) -> BuildResult<BundleOutput> {
    let mut factory = BundleFactory::new(BundleFactoryOptions {
        bundler_options,
        plugins: vec![Arc::new(plugin)],
        session: None,
        disable_tracing_setup: true,
    })?;
    let bundle = factory.create_bundle_with_fs(folder.clone(), Arc::new(resolver));
    bundle.generate().await
}

/// What the entry's tsconfig.json says about the output. rolldown would look for it anywhere on the machine, so it
/// is read here, through the folder, once for all files.
fn transform(resolver: &Resolver<Folder>, folder: &Folder, file: &Path) -> Result<BundlerTransformOptions, Vec<Diagnostic>> {
    let base = BundlerTransformOptions { target: Some(Either::Left("es2023".to_string())), ..BundlerTransformOptions::default() };
    match resolver.clone_default_resolver().find_tsconfig(file) {
        Ok(Some(tsconfig)) => Ok(merge_tsconfig(base, &tsconfig, false).0),
        Ok(None) => Ok(base),
        Err(error) => Err(vec![explain_tsconfig(error, folder)]),
    }
}

fn options(folder: &Folder, input: String, transform: BundlerTransformOptions) -> BundlerOptions {
    BundlerOptions {
        input: Some(vec![input.into()]),
        cwd: Some(folder.root().to_path_buf()),
        // Nothing is written, but the map's `sources` are relative to where it would be.
        dir: Some(".".to_string()),
        // That of what is written: for Node, every bundle would import node:module.
        platform: Some(Platform::Browser),
        format: Some(OutputFormat::Esm),
        // Dynamic imports become part of the one module.
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        sourcemap: Some(SourceMapType::Hidden),
        // Source maps hold no names, so stack traces show those of the bundle: nothing is mangled.
        minify: Some(RawMinifyOptions::DeadCodeEliminationOnly),
        keep_names: Some(true),
        comments: Some(CommentsOptions { legal: false, annotation: false, jsdoc: false }),
        define: Some([("process.env.NODE_ENV".to_string(), "'production'".to_string())].into_iter().collect()),
        checks: Some(ChecksOptions { plugin_timings: Some(false), ..ChecksOptions::default() }),
        // No `//#region` comments.
        experimental: Some(ExperimentalOptions { attach_debug_info: Some(AttachDebugInfo::None), ..ExperimentalOptions::default() }),
        transform: Some(transform),
        tsconfig: Some(TsConfig::Auto(false)),
        ..BundlerOptions::default()
    }
}

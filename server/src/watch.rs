//! Redeploys handlers when their files change, adds those that appear and removes those that vanish.
//!
//! Folders are watched, not files: editors save by renaming a new file over the old one, and a file's own watch would stay with
//! the old one.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher,
    event::{AccessKind, AccessMode, ModifyKind},
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::timeout_at,
};

use crate::{
    deploy::{self, Handlers},
    routes::{Route, Routes},
    survey::{Survey, Surveyor, is_hidden},
    terminal::say,
};

/// Saving a file causes several events within microseconds; this long without one ends the burst.
const QUIET: Duration = Duration::from_millis(1);
/// A burst that goes on (a checkout, an installation) is looked at this often.
const BURST_MAX: Duration = Duration::from_millis(50);
/// Some editors move the old file away before they write the new one: only what stays away this long is gone.
const GRACE: Duration = Duration::from_millis(100);

pub struct Watch {
    surveyor: Surveyor,
    survey: Survey,
    /// The paths that were given, absolute and without symbolic links.
    roots: Vec<PathBuf>,
    routes: Arc<Routes>,
    watcher: RecommendedWatcher,
    events: UnboundedReceiver<Event>,
    watched: HashSet<PathBuf>,
    /// Folders that would be watched if they were there.
    missing: HashSet<PathBuf>,
    has_complained: bool,
}

/// What a burst of events touched.
#[derive(Default)]
struct Changes {
    paths: HashSet<PathBuf>,
    /// Folders that were not watched when they were read: anything in them may have changed since.
    unseen: HashSet<PathBuf>,
    /// Files or folders were made, moved or removed.
    is_structural: bool,
    /// Events were lost: anything may have changed.
    is_everything: bool,
}

impl Watch {
    /// Watches from now on; what changes before [`Watch::run`] is called is looked at then.
    pub fn start(surveyor: Surveyor, survey: Survey, routes: Arc<Routes>) -> notify::Result<Watch> {
        let (sender, events) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            // The receiver is gone when the server stops.
            let _ = event.map(|event| is_change(&event.kind).then(|| sender.send(event)));
        })?;
        let roots = surveyor.paths().iter().filter_map(|path| path.canonicalize().ok()).collect();
        let (watched, missing) = (HashSet::new(), HashSet::new());
        let mut watch = Watch { surveyor, survey, roots, routes, watcher, events, watched, missing, has_complained: false };
        watch.follow();
        Ok(watch)
    }

    /// Until it is dropped.
    pub async fn run(mut self) {
        // What lies around was looked for before it was watched, and what the handlers import is known since they were deployed.
        self.surveyor.forget_all();
        let mut changes = Changes { unseen: self.follow(), is_structural: true, ..Changes::default() };
        let mut began = Instant::now();
        loop {
            if changes.is_structural || changes.is_everything {
                self.look_again(&mut changes).await;
            }
            let touched = self.touched(&changes);
            if !touched.is_empty() {
                deploy::again(&self.routes, touched, began).await;
            }
            changes = Changes { unseen: self.follow(), ..Changes::default() };
            changes.is_structural = !changes.unseen.is_empty();
            if changes.unseen.is_empty() {
                match self.next_changes().await {
                    Some(next) => (changes, began) = next,
                    None => return,
                }
            }
        }
    }

    /// The next burst of events, and when it began.
    async fn next_changes(&mut self) -> Option<(Changes, Instant)> {
        let mut changes = Changes::default();
        let first = loop {
            let event = self.events.recv().await?;
            if self.is_ours(&event) {
                break event;
            }
        };
        self.note(&mut changes, first);
        let began = Instant::now();
        let mut ends_at = began + QUIET;
        while Instant::now() < ends_at
            && let Ok(Some(event)) = timeout_at(ends_at.into(), self.events.recv()).await
        {
            if self.is_ours(&event) {
                ends_at = (Instant::now() + QUIET).min(began + BURST_MAX);
                self.note(&mut changes, event);
            }
        }
        Some((changes, began))
    }

    /// Folders that hold what was given are watched too, and much may go on in them.
    fn is_ours(&self, event: &Event) -> bool {
        let routes = self.routes.all();
        let is_ours = |change: &PathBuf| {
            self.roots.iter().any(|root| change.starts_with(root))
                || routes.values().any(|route| concerns(route, change))
                // A watched folder that is no more must be watched anew when it comes back.
                || is_moved(&event.kind) && self.watched.contains(change)
                || self.missing.iter().any(|folder| folder.starts_with(change))
        };
        event.need_rescan() || event.paths.iter().any(is_ours)
    }

    fn note(&mut self, changes: &mut Changes, event: Event) {
        let is_moved = is_moved(&event.kind);
        changes.is_everything |= event.need_rescan();
        changes.is_structural |= is_moved || event.kind.is_create();
        for path in event.paths {
            if is_moved {
                self.unfollow(&path);
            }
            changes.paths.insert(path);
        }
    }

    /// Finds what appeared and removes what vanished.
    async fn look_again(&mut self, changes: &mut Changes) {
        if changes.is_everything {
            self.surveyor.forget_all();
        }
        // Until all that was found was watched when it was looked at: from there on, what changes is another event.
        loop {
            self.survey(changes);
            if !self.vanished().is_empty() {
                tokio::time::sleep(GRACE).await;
                self.survey(changes);
            }
            let unseen = self.follow();
            if unseen.is_empty() {
                break;
            }
            changes.unseen.extend(unseen);
        }
        for name in self.vanished() {
            self.routes.remove(&name);
            say(format_args!("removed {name}"));
        }
        if self.survey.has_duplicates {
            self.survey.complaints.iter().for_each(|complaint| say(format_args!("{complaint}")));
        }
    }

    fn survey(&mut self, changes: &Changes) {
        changes.paths.iter().for_each(|path| self.surveyor.forget(path));
        changes.unseen.iter().for_each(|folder| self.surveyor.forget_below(folder));
        self.survey = self.surveyor.survey();
    }

    fn vanished(&self) -> Vec<Arc<str>> {
        self.routes.all().keys().filter(|name| !self.survey.handlers.contains_key(&***name)).cloned().collect()
    }

    /// The handlers to prepare again: new ones, and those that a change may concern. Preparing one in vain is cheap.
    fn touched(&self, changes: &Changes) -> Handlers {
        let routes = self.routes.all();
        let is_touched = |name: &str, path: &Path| {
            let Some(route) = routes.get(name) else { return true };
            route.path != path
                || changes.is_everything
                || changes.paths.iter().any(|change| concerns(route, change))
                || changes.unseen.iter().any(|folder| concerns_folder(route, folder))
        };
        let touched = self.survey.handlers.iter().filter(|(name, found)| is_touched(name, &found.path));
        touched.map(|(name, found)| (name.clone(), found.path.clone())).collect()
    }

    /// Makes the watched folders those that matter now. Answers with those that were not watched before, and those that are gone.
    fn follow(&mut self) -> HashSet<PathBuf> {
        let (mut wanted, missing): (HashSet<_>, HashSet<_>) = self.folders().into_iter().partition(|folder| folder.is_dir());
        let mut unseen: HashSet<PathBuf> = missing.difference(&self.missing).cloned().collect();
        // Where a folder that is missing, or the one around it, would come back.
        wanted.extend(missing.iter().filter_map(|folder| folder.ancestors().find(|folder| folder.is_dir())).map(Path::to_owned));
        self.missing = missing;
        let gone: Vec<PathBuf> = self.watched.difference(&wanted).cloned().collect();
        gone.iter().for_each(|folder| self.unwatch(folder));
        for folder in wanted {
            if self.watched.contains(&folder) {
                continue;
            }
            match self.watcher.watch(&folder, RecursiveMode::NonRecursive) {
                Ok(()) => {
                    self.watched.insert(folder.clone());
                    unseen.insert(folder);
                }
                // It vanished just now.
                Err(_) if !folder.is_dir() => drop(unseen.insert(folder)),
                Err(error) => self.complain(&error),
            }
        }
        unseen
    }

    fn folders(&self) -> HashSet<PathBuf> {
        let routes = self.routes.all();
        let of_handlers = self.survey.handlers.values().flat_map(|found| found.folders.iter().map(PathBuf::as_path));
        let of_inputs = routes.values().flat_map(|route| route.inputs()).filter_map(|input| input.parent());
        // A folder that was given may be deleted and made again.
        let of_roots = self.roots.iter().filter_map(|root| root.parent());
        let folders: HashSet<&Path> =
            self.survey.folders.iter().map(PathBuf::as_path).chain(of_roots).chain(of_handlers).chain(of_inputs).collect();
        folders.into_iter().map(Path::to_owned).collect()
    }

    /// A folder that was moved or removed, and what is below it: the same names may come back as other folders.
    fn unfollow(&mut self, folder: &Path) {
        let below: Vec<PathBuf> = self.watched.iter().filter(|watched| watched.starts_with(folder)).cloned().collect();
        below.iter().for_each(|folder| self.unwatch(folder));
    }

    fn unwatch(&mut self, folder: &Path) {
        // Of a folder that is no more, the kernel has ended the watch itself.
        let _ = self.watcher.unwatch(folder);
        self.watched.remove(folder);
    }

    fn complain(&mut self, error: &notify::Error) {
        if !std::mem::replace(&mut self.has_complained, true) {
            tracing::warn!(%error, "not every folder can be watched, so some changes will not be noticed; raise fs.inotify.max_user_watches");
        }
    }
}

fn is_moved(kind: &EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
}

/// Reading a file is no change. Nor is opening one to write: closing it is.
fn is_change(kind: &EventKind) -> bool {
    !matches!(kind, EventKind::Access(kind) if *kind != AccessKind::Close(AccessMode::Write))
}

/// Whether a change at `path` may change the handler. As long as the source is rejected, nobody knows all of its inputs.
fn concerns(route: &Route, path: &Path) -> bool {
    let is_input = || route.inputs().iter().any(|input| input == path);
    let is_beside = || route.is_failing && path.parent() == route.path.parent();
    // Below a handler's folder, a new file can take the place of another as well (`index.ts` that of `handler.ts`).
    let is_below = || path.strip_prefix(&route.path).is_ok_and(|below| !below.iter().any(|part| is_hidden(Path::new(part))));
    is_below() || is_input() || is_beside()
}

/// Whether anything that changed in `folder` may change the handler.
fn concerns_folder(route: &Route, folder: &Path) -> bool {
    concerns(route, folder)
        || [route.path.as_path()].into_iter().chain(route.inputs().iter().map(PathBuf::as_path)).any(|path| path.parent() == Some(folder))
}

//! The outer wall around the whole process: a control group with limits on memory, CPU and processes.
//!
//! The limits of calls are kept inside of the process; should one of them ever fail, the kernel stops the process before it
//! takes the machine along. Not every user may make control groups, so failing to is told and not fatal.

use std::path::PathBuf;

use cgroups_rs::{
    CgroupPid,
    fs::{
        Cgroup, MaxValue, cgroup::get_cgroups_relative_paths, cpu::CpuController, error::Result, hierarchies, memory::MemController,
        pid::PidController,
    },
};

/// What the process may use in all. None: as much as there is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Wall {
    pub memory_bytes_max: Option<u64>,
    /// In cores: 1.5 is one and a half.
    pub cpu_cores_max: Option<f64>,
    /// Processes and threads.
    pub pids_max: Option<u32>,
}

/// The process is in a control group of its own until this is dropped.
pub struct Enclosed {
    group: Cgroup,
}

const CPU_PERIOD_US: u64 = 100_000;

/// Puts this process into a control group (v1 or v2) below the one it is in, so that limits from outside still hold. The
/// error says plainly why it cannot.
pub fn enclose(wall: Wall) -> std::result::Result<Enclosed, String> {
    let name = format!("mirra-{}", std::process::id());
    let group = create(&name).map_err(|error| format!("cannot make a control group: {}", chain(&error)))?;
    // From here on dropping it removes the group.
    let enclosed = Enclosed { group };
    let enter = || -> Result<()> {
        enclosed.apply(wall)?;
        enclosed.group.add_task_by_tgid(this_process())
    };
    enter().map_err(|error| format!("cannot use a control group of its own: {}", chain(&error)))?;
    Ok(enclosed)
}

fn create(name: &str) -> Result<Cgroup> {
    let hierarchy = hierarchies::auto();
    let current = get_cgroups_relative_paths()?;
    if hierarchy.v2() {
        // Version 2 has one tree, whose entry has no controller's name.
        let parent = current.get("").map(|path| path.trim_start_matches('/')).unwrap_or_default();
        return Cgroup::new(hierarchy, PathBuf::from(parent).join(name));
    }
    Cgroup::new_with_relative_paths(hierarchy, name, current)
}

impl Enclosed {
    fn apply(&self, wall: Wall) -> Result<()> {
        if let (Some(bytes), Some(memory)) = (wall.memory_bytes_max, self.group.controller_of::<MemController>()) {
            memory.set_limit(i64::try_from(bytes).unwrap_or(i64::MAX))?;
        }
        if let (Some(cores), Some(cpu)) = (wall.cpu_cores_max, self.group.controller_of::<CpuController>()) {
            cpu.set_cfs_quota_and_period(Some((cores * CPU_PERIOD_US as f64) as i64), Some(CPU_PERIOD_US))?;
        }
        if let (Some(pids_max), Some(pids)) = (wall.pids_max, self.group.controller_of::<PidController>()) {
            pids.set_pid_max(MaxValue::Value(i64::from(pids_max)))?;
        }
        Ok(())
    }
}

impl Drop for Enclosed {
    fn drop(&mut self) {
        // Best effort: an empty group that stays behind limits nobody.
        let _ = self.group.move_task_to_parent_by_tgid(this_process());
        let _ = self.group.delete();
    }
}

fn this_process() -> CgroupPid {
    CgroupPid::from(u64::from(std::process::id()))
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

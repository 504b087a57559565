//! Shares the CPU among calls, by weight.
//!
//! A call starts where it is polled, usually the thread that serves HTTP: most end within their first slice, and handing
//! them to another thread would cost as much as running them. One that wants more is handed to the pool, whose threads
//! always resume the call that has had the least CPU time for its weight, and which the kernel ranks below the others.
//! So a busy call never holds up the HTTP loop for longer than a slice, and a small busy one never starves a big one.

use std::{
    collections::BinaryHeap,
    future::Future,
    pin::Pin,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use futures_util::future::poll_fn;
use tokio::sync::oneshot;

/// A first poll that took longer wants to compute, not to wait.
const INLINE_MAX: Duration = Duration::from_micros(100);

/// How the kernel ranks the pool's threads: like a batch job beside an interactive one.
const POOL_NICENESS: i32 = 10;

/// Has the kernel rank this thread below the ones that serve.
pub fn rank_below() {
    // Without the right to it the thread competes at equal rank, which is fair enough.
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), POOL_NICENESS);
}

pub struct Scheduler {
    pool: Arc<Pool>,
}

impl Scheduler {
    /// Timers and I/O of the calls run on `runtime`.
    pub fn new(threads: usize, runtime: tokio::runtime::Handle) -> std::io::Result<Scheduler> {
        let pool = Arc::new(Pool::default());
        for index in 0..threads.max(1) {
            let (pool, runtime) = (pool.clone(), runtime.clone());
            std::thread::Builder::new().name(format!("calls-{index}")).spawn(move || {
                let _entered = runtime.enter();
                rank_below();
                pool.work();
            })?;
        }
        Ok(Scheduler { pool })
    }

    /// Runs `call` to its end. Dropping the answer drops the call, wherever it is.
    pub async fn run<T: Send + 'static>(&self, weight: u64, call: impl Future<Output = T> + Send + 'static) -> T {
        let mut call: Pin<Box<dyn Future<Output = T> + Send>> = Box::pin(call);
        let first = poll_fn(|cx| {
            let began = Instant::now();
            match call.as_mut().poll(cx) {
                Poll::Ready(done) => Poll::Ready(Some(done)),
                Poll::Pending if began.elapsed() < INLINE_MAX => Poll::Pending,
                Poll::Pending => Poll::Ready(None),
            }
        });
        match first.await {
            Some(done) => done,
            None => self.hand_over(weight, call).await,
        }
    }

    async fn hand_over<T: Send + 'static>(&self, weight: u64, call: Pin<Box<dyn Future<Output = T> + Send>>) -> T {
        let (sender, receiver) = oneshot::channel();
        let task = Task::new(weight, self.pool.clone(), async move {
            // Nobody listens any more when the caller went away.
            let _ = sender.send(call.await);
        });
        let _cancel_on_drop = CancelOnDrop(task.clone());
        task.wake();
        match receiver.await {
            Ok(done) => done,
            // The task ended without an answer: it panicked, and so does the caller.
            Err(_) => panic!("a call's task ended without an outcome"),
        }
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        self.pool.is_closed.store(true, Ordering::Release);
        drop(self.pool.queue());
        self.pool.wakeup.notify_all();
    }
}

struct CancelOnDrop(Arc<Task>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.is_cancelled.store(true, Ordering::Release);
        self.0.clone().wake();
    }
}

#[derive(Default)]
struct Pool {
    queue: Mutex<BinaryHeap<Turn>>,
    wakeup: Condvar,
    /// Virtual time of the turn that ran last: where newcomers and returners line up.
    now: AtomicU64,
    is_closed: AtomicBool,
}

/// A task in the queue; the greatest is the one with the least virtual time.
struct Turn(u64, Arc<Task>);

impl Ord for Turn {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        other.0.cmp(&self.0)
    }
}

impl PartialOrd for Turn {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Turn {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Turn {}

impl Pool {
    fn queue(&self) -> MutexGuard<'_, BinaryHeap<Turn>> {
        // A heap is whole whenever its lock is free, whatever happened to a thread that held it.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        while let Some(task) = self.next() {
            task.take_turn();
        }
    }

    fn next(&self) -> Option<Arc<Task>> {
        let mut queue = self.queue();
        loop {
            if let Some(Turn(virtual_time, task)) = queue.pop() {
                self.now.fetch_max(virtual_time, Ordering::Relaxed);
                return Some(task);
            }
            if self.is_closed.load(Ordering::Acquire) {
                return None;
            }
            queue = self.wakeup.wait(queue).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Where a task is; it is in the queue at most once.
mod state {
    pub const WAITING: usize = 0;
    pub const QUEUED: usize = 1;
    pub const RUNNING: usize = 2;
    /// Woken while it ran: queued again right after.
    pub const WOKEN: usize = 3;
    pub const DONE: usize = 4;
}

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

struct Task {
    pool: Arc<Pool>,
    weight: u64,
    /// CPU time had so far, divided by the weight, in nanoseconds.
    virtual_time: AtomicU64,
    state: AtomicUsize,
    is_cancelled: AtomicBool,
    /// Locked only by the thread whose turn it is, so never contended.
    work: Mutex<Option<Work>>,
}

impl Task {
    fn new(weight: u64, pool: Arc<Pool>, work: impl Future<Output = ()> + Send + 'static) -> Arc<Task> {
        Arc::new(Task {
            weight: weight.max(1),
            virtual_time: AtomicU64::new(pool.now.load(Ordering::Relaxed)),
            pool,
            state: AtomicUsize::new(state::WAITING),
            is_cancelled: AtomicBool::new(false),
            work: Mutex::new(Some(Box::pin(work))),
        })
    }

    fn enqueue(self: Arc<Self>) {
        // Whoever waited lines up with the rest: time not used is not saved up.
        let virtual_time = self.virtual_time.fetch_max(self.pool.now.load(Ordering::Relaxed), Ordering::Relaxed);
        let virtual_time = virtual_time.max(self.pool.now.load(Ordering::Relaxed));
        let pool = self.pool.clone();
        pool.queue().push(Turn(virtual_time, self));
        pool.wakeup.notify_one();
    }

    /// One slice: until the call yields, waits or ends.
    fn take_turn(self: Arc<Self>) {
        self.state.store(state::RUNNING, Ordering::Release);
        let mut work = self.work.lock().unwrap_or_else(PoisonError::into_inner);
        let began_ns = cpu_time_ns();
        let is_done = match work.as_mut() {
            Some(future) if !self.is_cancelled.load(Ordering::Acquire) => {
                let waker = Waker::from(self.clone());
                // A panic must not take the thread down: the call's answer is lost with its sender, and that is noticed.
                let poll = || future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(poll)).unwrap_or(true)
            }
            _ => true,
        };
        if is_done {
            *work = None;
            self.state.store(state::DONE, Ordering::Release);
            return;
        }
        drop(work);
        self.virtual_time.fetch_add((cpu_time_ns() - began_ns) / self.weight, Ordering::Relaxed);
        let settled = self.state.compare_exchange(state::RUNNING, state::WAITING, Ordering::AcqRel, Ordering::Acquire);
        if settled.is_err() {
            self.state.store(state::QUEUED, Ordering::Release);
            self.enqueue();
        }
    }
}

/// CPU time of this thread: a slice in which the kernel ran somebody else must not count as had.
fn cpu_time_ns() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        let advance = |current| match current {
            state::WAITING => Some(state::QUEUED),
            state::RUNNING => Some(state::WOKEN),
            _ => None,
        };
        let before = self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, advance);
        if before == Ok(state::WAITING) {
            self.enqueue();
        }
    }
}

//! Waiting for many things at once.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// A future of its own place in memory.
pub(super) type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The results of all futures, which run side by side, in their order. There are as many as nodes, so that
/// looking at each of them whenever one is woken costs nothing.
pub(super) async fn join_all<T>(futures: Vec<Boxed<'_, T>>) -> Vec<T> {
    let mut slots: Vec<Slot<'_, T>> = futures.into_iter().map(Slot::Running).collect();
    poll_fn(|context| {
        let mut all_done = true;
        for slot in &mut slots {
            if let Slot::Running(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(result) => *slot = Slot::Done(result),
                    Poll::Pending => all_done = false,
                }
            }
        }
        match all_done {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    })
    .await;
    let done = slots.into_iter().filter_map(|slot| match slot {
        Slot::Done(result) => Some(result),
        Slot::Running(_) => None,
    });
    done.collect()
}

enum Slot<'a, T> {
    Running(Boxed<'a, T>),
    Done(T),
}

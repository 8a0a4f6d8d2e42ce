//! Finding out about the nodes (`legacy.md` 8.3).

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::client::Client;
use super::error::{NotReady, Problem, RequestError};
use super::join::{Boxed, join_all};
use super::per_node::PerNode;

impl Client {
    /// Asks all nodes, side by side, for their version and for the keys they are responsible for. All is
    /// right if all speak our version and every key is one of exactly one node. Otherwise keys that are
    /// known to be a node's can be used all the same.
    ///
    /// Nothing but [`get_version`](Self::get_version) and
    /// [`get_responsible_range`](Self::get_responsible_range) works before. What a node said is believed until
    /// it is asked again.
    pub async fn handshake(&self) -> Result<(), NotReady> {
        let asking: Vec<Boxed<'_, Vec<RequestError>>> = vec![
            Box::pin(async { errors(self.get_version().await) }),
            Box::pin(async { errors(self.get_responsible_range().await) }),
        ];
        let errors: Vec<RequestError> = join_all(asking).await.into_iter().flatten().collect();
        let mut problems = self.shared.lock().core.problems();
        // Why a node has not answered is told instead of that.
        problems.retain(|problem| {
            let silent = matches!(problem, Problem::Silent { .. });
            !silent || !errors.iter().any(|error| error.node == problem.node())
        });
        problems.splice(0..0, errors.into_iter().map(Problem::Request));
        match problems.is_empty() {
            true => Ok(()),
            false => Err(NotReady { problems }),
        }
    }

    /// Repeats the [handshake](Self::handshake) until all is right, but no longer than `patience`. How long
    /// it waits in between is said by [`handshake_retry`](super::Builder::handshake_retry).
    pub async fn ready(&self, patience: Duration) -> Result<(), NotReady> {
        let deadline = Instant::now() + patience;
        let mut last = None;
        let trying = async {
            while let Err(not_ready) = self.handshake().await {
                last = Some(not_ready);
                sleep(self.shared.settings.handshake_retry).await;
            }
        };
        match timeout_at(deadline, trying).await {
            Ok(()) => Ok(()),
            Err(_) => Err(last.unwrap_or_else(|| NotReady {
                problems: self.silent(),
            })),
        }
    }

    /// What to tell of nodes whose answers have not been waited for.
    fn silent(&self) -> Vec<Problem> {
        let nodes = self.nodes().into_iter();
        nodes.map(|node| Problem::Silent { node }).collect()
    }
}

fn errors<T>(answers: PerNode<T>) -> Vec<RequestError> {
    let nodes = answers.nodes.into_iter();
    nodes.filter_map(|(_, answer)| answer.err()).collect()
}

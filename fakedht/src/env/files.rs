//! The files that tell a client of this protocol family where its nodes are and who it is.

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::TestNode;

/// Where the configuration of a client was written.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConfigFiles {
    /// The nodes file: a line with the node's address.
    pub nodes: PathBuf,
    /// The credentials file: a line with the client's name and key.
    pub credentials: PathBuf,
}

impl TestNode {
    /// Writes `dht.neo.nodes` and `credentials` for a client into a directory, which is created if need
    /// be. The client is `admin` if that one may connect, or else the first that may.
    pub fn write_config_files(&self, directory: impl AsRef<Path>) -> io::Result<ConfigFiles> {
        let directory = directory.as_ref();
        fs::create_dir_all(directory)?;
        let files = ConfigFiles {
            nodes: directory.join("dht.neo.nodes"),
            credentials: directory.join("credentials"),
        };
        fs::write(&files.nodes, format!("{}\n", self.address))?;
        let mut entry = String::new();
        if let Some(credential) = &self.credential {
            entry.push_str(credential.name.as_str());
            entry.push(':');
            for byte in credential.key.as_bytes() {
                // Writing to a string does not fail.
                let _ = write!(entry, "{byte:02x}");
            }
            entry.push('\n');
        }
        fs::write(&files.credentials, entry)?;
        Ok(files)
    }
}

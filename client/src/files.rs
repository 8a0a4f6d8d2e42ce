//! The client's files: which nodes there are, and who the client is. How they are written is known to
//! [`dht_protocol`]; here they are read.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use dht_protocol::neo::credentials::CredentialsError;
use dht_protocol::neo::{Credential, NodeAddress};
use dht_protocol::nodes_file::{self, NodesFileError};
use thiserror::Error;

/// The largest file that is read, in bytes; the original's limit for credentials
/// (`neo-transport.md` 7.1).
const MAX_FILE: u64 = 10_000_000;

/// The nodes that a file lists, one `a.b.c.d:port` a line, with the ports of the neo protocol.
pub fn nodes_from_file(path: impl AsRef<Path>) -> Result<Vec<NodeAddress>, FileError> {
    let path = path.as_ref();
    nodes_file::parse(&read(path)?).map_err(|error| FileError::Nodes {
        path: path.into(),
        error,
    })
}

/// The name and the key that a file holds, as its only entry `name:key` with the key as 256 hexadecimal
/// digits.
pub fn credential_from_file(path: impl AsRef<Path>) -> Result<Credential, FileError> {
    let path = path.as_ref();
    Credential::parse_file(&read(path)?).map_err(|error| FileError::Credentials {
        path: path.into(),
        error,
    })
}

/// Why a file could not be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// It could not be read.
    #[error("cannot read {}: {error}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is longer than such a file can be.
    #[error("{} has more than {MAX_FILE} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
    /// It is not a nodes file.
    #[error("{}: {error}", path.display())]
    Nodes {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: NodesFileError,
    },
    /// It is not a credentials file of a client.
    #[error("{}: {error}", path.display())]
    Credentials {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: CredentialsError,
    },
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut content = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_FILE + 1).read_to_end(&mut content));
    match read {
        Ok(len) if len as u64 > MAX_FILE => Err(FileError::TooLong { path: path.into() }),
        Ok(_) => Ok(content),
        Err(error) => Err(FileError::Read {
            path: path.into(),
            error,
        }),
    }
}

//! What a node's process takes of the machine, where it runs on this one: memory and time of the processor, as
//! Linux tells them.

use std::fs;
use std::net::SocketAddrV4;
use std::path::PathBuf;
use std::time::Duration;

/// How often the clock of a process ticks in a second, as `/proc` counts it.
const TICKS: f64 = 100.0;
/// The state of a thread that runs or waits for a processor, as `/proc` writes it.
const RUNNABLE: char = 'R';
/// The state of a socket that listens, as `/proc` writes it.
const LISTENING: &str = "0A";

/// The process of a node.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Process(u32);

/// What a process has taken.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// Memory that is resident, in bytes.
    pub(super) resident: u64,
    /// Time of the processor since its start.
    pub(super) busy: Duration,
}

impl Process {
    /// The process that listens on this address of this machine, if it is another than this one.
    pub(super) fn listening(address: SocketAddrV4) -> Option<Self> {
        let inode = inode(address)?;
        let socket = format!("socket:[{inode}]");
        let holds = |fds: PathBuf| {
            let fds = fs::read_dir(fds).ok()?;
            let mut links = fds.filter_map(|fd| fs::read_link(fd.ok()?.path()).ok());
            Some(links.any(|link| link.as_os_str() == socket.as_str()))
        };
        let processes = fs::read_dir("/proc").ok()?;
        let ids = processes.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
        let mut owners =
            ids.filter(|id: &u32| holds(PathBuf::from(format!("/proc/{id}/fd"))).unwrap_or(false));
        owners.find(|id| *id != std::process::id()).map(Self)
    }

    /// What it has taken so far; `None` if it is gone.
    pub(super) fn vitals(self) -> Option<Vitals> {
        let Self(id) = self;
        let status = fs::read_to_string(format!("/proc/{id}/status")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        Some(Vitals {
            resident: resident(&status)?,
            busy: busy(&stat)?,
        })
    }
}

impl Process {
    /// Does one of its threads want to run? On a busy machine it may have to wait for that, so that the time it
    /// gets says less. `None` if the process is gone.
    pub(super) fn wants_to_run(self) -> Option<bool> {
        let Self(id) = self;
        let threads = fs::read_dir(format!("/proc/{id}/task")).ok()?;
        let mut states = threads.filter_map(|thread| {
            let stat = fs::read_to_string(thread.ok()?.path().join("stat")).ok()?;
            state(&stat)
        });
        Some(states.any(|state| state == RUNNABLE))
    }
}

/// The inode of the socket that listens there.
fn inode(address: SocketAddrV4) -> Option<u64> {
    let sockets = fs::read_to_string("/proc/net/tcp").ok()?;
    sockets
        .lines()
        .skip(1)
        .find_map(|line| listens(line, address))
}

/// The inode of a line of `/proc/net/tcp`, if its socket listens on the address, or on its port everywhere.
fn listens(line: &str, address: SocketAddrV4) -> Option<u64> {
    let mut fields = line.split_whitespace();
    let (ip, port) = fields.nth(1)?.split_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    let ip = u32::from_str_radix(ip, 16).ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    // The four bytes stand there as a number of this machine.
    let here = ip == 0 || ip.to_ne_bytes() == address.ip().octets();
    (here && port == address.port() && state == LISTENING).then_some(inode)
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The state of a thread. The name of the program can hold anything; it ends with the last parenthesis.
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

fn busy(stat: &str) -> Option<Duration> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(Duration::from_secs_f64((user + system) as f64 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_proc_are_read() {
        let line = "   0: 0100007F:2774 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0";
        let address = "127.0.0.1:10100".parse().unwrap();
        if cfg!(target_endian = "little") {
            assert_eq!(listens(line, address), Some(4711));
        }
        assert_eq!(listens(line, "127.0.0.1:10101".parse().unwrap()), None);
        assert_eq!(listens(&line.replace(" 0A ", " 01 "), address), None);
        let stat = "12 (a ) b) S 1 12 12 0 -1 4194304 1 0 0 0 150 50 0 0 20 0 3 0 100 1000 200";
        assert_eq!(state(stat), Some('S'));
        assert_eq!(busy(stat), Some(Duration::from_secs(2)));
        assert_eq!(resident("Name:\tx\nVmRSS:\t  12 kB\n"), Some(12 * 1024));
    }

    #[test]
    fn this_process_is_no_node() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        assert_eq!(Process::listening(address.parse().unwrap()), None);
    }
}

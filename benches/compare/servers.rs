//! Real servers, many threads on one context, as many clients as keep the processors busy: what a
//! handshake costs the server, and how many there are, with an empty library preloaded and with ours.

use crate::build::{Programs, Side};
use crate::run::{self, Figures};
use sslcache_bench::median;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A server: its name, its program, and the arguments and the configuration for it.
struct Server {
    name: &'static str,
    program: &'static str,
    arguments: fn(&Place) -> Vec<String>,
    configuration: fn(&Place) -> String,
}

/// Where it is to run.
struct Place<'a> {
    directory: &'a Path,
    port: u16,
    /// Of a program behind it that takes connections and closes them.
    backend: u16,
}

impl Place<'_> {
    fn file(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }
}

const SERVERS: [Server; 3] = [
    Server {
        name: "h2o, 8 threads",
        program: "h2o",
        arguments: |place| vec!["-c".into(), place.file("server.conf")],
        configuration: |place| {
            format!(
                "user: root\nnum-threads: 8\nlisten:\n  host: 127.0.0.1\n  port: {}\n  ssl:\n    \
                 certificate-file: {}\n    key-file: {}\nssl-session-resumption:\n  mode: cache\n\
                 hosts:\n  localhost:\n    paths:\n      /:\n        file.dir: {}\n",
                place.port,
                place.file("cert.pem"),
                place.file("key.pem"),
                place.file(""),
            )
        },
    },
    Server {
        name: "memcached, 8 threads",
        program: "memcached",
        arguments: |place| {
            let port = place.port;
            let (cert, key) = (place.file("cert.pem"), place.file("key.pem"));
            let options = format!("ssl_chain_cert={cert},ssl_key={key},ssl_session_cache");
            let line = format!("-u root -l 127.0.0.1 -p {port} -t 8 -Z -o {options}");
            line.split(' ').map(str::to_owned).collect()
        },
        configuration: |_| String::new(),
    },
    Server {
        name: "stunnel, a thread for each client",
        program: "stunnel4",
        arguments: |place| vec![place.file("server.conf")],
        configuration: |place| {
            format!(
                "foreground = yes\npid =\ndebug = 3\nsslVersionMin = TLSv1.2\noptions = NO_TICKET\n\
                 [tls]\naccept = 127.0.0.1:{}\nconnect = 127.0.0.1:{}\ncert = {}\nkey = {}\n",
                place.port,
                place.backend,
                place.file("cert.pem"),
                place.file("key.pem"),
            )
        },
    },
];

const SIDES: [Side; 2] = [Side::Libssl, Side::Interposed];

/// Measures all servers that there are; returns the table.
pub fn measure(programs: &Programs, turns: usize) -> Result<String, String> {
    let directory = programs.directory().join("servers");
    std::fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    make_certificate(&directory)?;
    let backend = closing_backend().map_err(|e| e.to_string())?;
    let mut table =
        "| server, handshake | libssl | interposed | ratio | libssl | interposed | ratio |\n\
                     |---|--:|--:|--:|--:|--:|--:|\n"
            .to_owned();
    for server in &SERVERS {
        for (is_resumed, kind) in [(false, "full"), (true, "resumed")] {
            let mut all: [Vec<Figures>; 2] = Default::default();
            for turn in 0..turns {
                // Each goes first as often as the other: what follows meets what went before.
                for at in [turn % 2, 1 - turn % 2] {
                    let (side, runs) = (SIDES[at], &mut all[at]);
                    let port = free_port().map_err(|e| e.to_string())?;
                    let place = Place { directory: &directory, port, backend };
                    match one_run(programs, server, &place, side, is_resumed) {
                        Ok(figures) => runs.push(figures),
                        Err(problem) => eprintln!("{}: {problem}", server.name),
                    }
                }
            }
            table += &line(&format!("{}, {kind}", server.name), &all);
        }
    }
    Ok(table)
}

fn line(title: &str, [libssl, ours]: &[Vec<Figures>; 2]) -> String {
    let of = |runs: &[Figures], name: &str| {
        let values = runs.iter().filter_map(|run| Some(run.get(name)?.value));
        (!runs.is_empty()).then(|| median(values))
    };
    let pair = |name: &str, unit: &str, more_is_better: bool| {
        let (Some(libssl), Some(ours)) = (of(libssl, name), of(ours, name)) else {
            return "- | - | -".to_owned();
        };
        let ratio = if more_is_better { ours / libssl } else { libssl / ours };
        format!("{libssl:.0} {unit} | {ours:.0} {unit} | {ratio:.2}x")
    };
    format!("| {title} | {} | {} |\n", pair("cpu", "us", false), pair("rate", "/s", true))
}

/// Ends its server.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn one_run(
    programs: &Programs,
    server: &Server,
    place: &Place,
    side: Side,
    is_resumed: bool,
) -> Result<Figures, String> {
    let configuration = place.directory.join("server.conf");
    std::fs::write(configuration, (server.configuration)(place)).map_err(|e| e.to_string())?;
    let mut command = Command::new(server.program);
    command.args((server.arguments)(place)).current_dir(place.directory);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    programs.preload(&mut command, side);
    let running = Running(command.spawn().map_err(|e| e.to_string())?);
    wait_until_it_listens(place.port)?;

    let before = computed_by(running.0.id());
    let mut clients = programs.command("clients", Side::Libssl);
    clients.args(["--port", &place.port.to_string(), "--threads", "16", "--seconds", "2"]);
    if is_resumed {
        clients.args(["--resume", "yes"]);
    }
    let output = clients.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let mut figures = run::parse(&String::from_utf8_lossy(&output.stdout));
    let handshakes = figures.get("handshakes").map_or(0.0, |figure| figure.value);
    let resumed = figures.get("resumed").map_or(0.0, |figure| figure.value);
    // A few come before there is anything to resume.
    if is_resumed && resumed < 0.9 * handshakes {
        return Err(format!("{resumed} of {handshakes} resumed"));
    }
    let cpu = (computed_by(running.0.id()) - before) / handshakes * 1e6;
    figures.insert("cpu".into(), run::Figure { value: cpu, unit: "us".into() });
    Ok(figures)
}

/// Seconds that a process has computed, with those of its threads that are over.
fn computed_by(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program, in brackets, may have anything in it.
    let numbers = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks: f64 = numbers.skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}

fn wait_until_it_listens(port: u16) -> Result<(), String> {
    let deadline = Instant::now() + Duration::from_secs(10);
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        if Instant::now() > deadline {
            return Err("it does not come up".to_owned());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Takes every connection and closes it, for as long as this program runs.
fn closing_backend() -> std::io::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    Ok(port)
}

fn make_certificate(directory: &Path) -> Result<(), String> {
    let mut openssl = Command::new("openssl");
    openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]);
    openssl.args(["-nodes", "-days", "2", "-subj", "/CN=localhost"]);
    openssl.arg("-keyout").arg(directory.join("key.pem"));
    openssl.arg("-out").arg(directory.join("cert.pem")).stderr(Stdio::null());
    match openssl.status() {
        Ok(status) if status.success() => Ok(()),
        _ => Err("openssl makes no certificate".to_owned()),
    }
}

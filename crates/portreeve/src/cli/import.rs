//! `portreeve import`: entries from elsewhere. A registry is read by the running Portreeve; of every other source this
//! command reads the files and uploads the records, in parts that are taken in as a whole.

mod clients;
mod files;
mod report;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use portreeve_core::import::ImportKind;
use serde_json::{Value, json};
use url::Url;

use super::connection::{Connection, api_path};
use super::reply::text;
use super::server::login::LoginForm;
use super::{Failure, Reply, duration};
use files::Record;

/// Records and bytes of one upload.
const BATCH: usize = 500;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// Time between two looks at a run that the server makes.
const LOOK: Duration = Duration::from_millis(500);

/// `portreeve import ...`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum ImportCommand {
    /// Read a registry that speaks the official API
    Registry {
        /// Its base URL, as in `https://registry.modelcontextprotocol.io`
        url: String,
        /// Read it again and again, each time what changed since
        #[arg(long, value_name = "TIME", value_parser = duration::parse, conflicts_with = "dry_run")]
        every: Option<Duration>,
        /// Grant the private hosts of its URL
        #[arg(long)]
        internal: bool,
        #[command(flatten)]
        login: LoginForm,
        #[command(flatten)]
        how: How,
    },
    /// Read a dump of such a registry, or a single server.json
    Dump {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Read the partner files of the Azure catalogue
    Partners {
        /// The directory, the file, or the URL of a file
        #[arg(value_name = "DIR-OR-URL")]
        source: String,
        #[command(flatten)]
        how: How,
    },
    /// Read the server.json files of a Git repository, fetched with the Git of this machine
    Git {
        /// The repository, as `git clone` takes it
        url: String,
        #[command(flatten)]
        how: How,
    },
    /// Read the server.yaml files of the Docker catalogue
    Docker {
        /// The file or the directory
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Read an export of Azure API Center
    ApiCenter {
        /// The file
        file: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Read what the hosts of this machine are set up to use; no secret value is ever sent
    Clients(Box<clients::ClientsArgs>),
    /// List the imports so far
    List,
    /// Show an import and what was noticed
    Show {
        /// The import
        import: String,
    },
    /// Show where the versions of a server came from, and what was noticed about them
    Origins {
        /// The server's name
        name: String,
    },
    /// List the registries that are read again and again
    Schedules,
    /// Read a registry no more; what came from it stays
    Unschedule {
        /// Its URL
        url: String,
    },
}

/// What all imports take.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct How {
    /// Approve what is taken in at once, unless a person must look at it
    #[arg(long)]
    approve: bool,
    /// Approve only these namespaces at once, as in `com.acme` or `com.acme.*`
    #[arg(long, value_name = "NAMESPACE", conflicts_with = "approve")]
    approve_namespace: Vec<String>,
    /// Approve only what its assessment gives at least this score, 0 to 100, once it was judged
    #[arg(long, value_name = "SCORE")]
    approve_score: Option<u8>,
    /// Only say what would become of the records
    #[arg(long)]
    dry_run: bool,
}

/// The data directory is for backups of hosts' files.
pub(super) async fn run(
    connection: &Connection,
    data: &Path,
    command: ImportCommand,
) -> Result<Reply, Failure> {
    match command {
        ImportCommand::Clients(args) => clients::run(connection, data, &args).await,
        ImportCommand::List => {
            let body = connection.all(&api_path!("imports")).await?;
            let shown = report::runs(&body);
            Ok(Reply::new(body, shown))
        }
        ImportCommand::Show { import } => {
            let body = connection.get(&api_path!("imports/{}", import)).await?.body;
            report(connection, body).await
        }
        ImportCommand::Origins { name } => {
            let body = connection.all(&api_path!("servers/{}/origins", name)).await?;
            let shown = report::origins(&body);
            Ok(Reply::new(body, shown))
        }
        ImportCommand::Schedules => {
            let body = connection.all(&api_path!("import-schedules")).await?;
            let shown = report::schedules(&body);
            Ok(Reply::new(body, shown))
        }
        ImportCommand::Unschedule { url } => {
            let path = api_path!("import-schedules/end");
            connection.post(&path, &json!({ "origin": url })).await?;
            let shown = format!("{url} is read no more.");
            Ok(Reply::new(json!({ "name": url }), shown))
        }
        ImportCommand::Registry {
            url,
            every,
            internal,
            login,
            how,
        } => match (every, login.login()?) {
            (Some(every), login) => schedule(connection, (&url, login), every, (internal, &how)).await,
            (None, Some(_)) => Err(
                Failure::new("a login is for a registry that is read again and again")
                    .hint("add `--every 1h`; the first run begins at once"),
            ),
            (None, None) => follow(connection, &url, internal, &how).await,
        },
        ImportCommand::Dump { file, how } => local(connection, ("dump", &shown(&file)), &how).await,
        ImportCommand::Partners { source, how } => local(connection, ("partners", &source), &how).await,
        ImportCommand::Git { url, how } => local(connection, ("git", &url), &how).await,
        ImportCommand::Docker { file, how } => local(connection, ("docker", &shown(&file)), &how).await,
        ImportCommand::ApiCenter { file, how } => {
            local(connection, ("api-center", &shown(&file)), &how).await
        }
    }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}

/// Reads a source here, and uploads what it holds.
async fn local(connection: &Connection, (kind, source): (&str, &str), how: &How) -> Result<Reply, Failure> {
    // Who may not import is told before anything is read.
    connection
        .get(&format!("{}?limit=1", api_path!("imports")))
        .await?;
    let path = Path::new(source);
    let records = match kind {
        "partners" => files::partners(connection, source).await?,
        "git" => files::git(source).await?,
        "docker" => files::file_or_directory(ImportKind::Docker, path)?,
        "api-center" => files::file(ImportKind::ApiCenter, path)?,
        _ => files::file(ImportKind::Dump, path)?,
    };
    upload(connection, (kind, &nameable(source)), records, how).await
}

/// What a source is called in reports and in the audit log: its URL without what may be a secret.
fn nameable(source: &str) -> String {
    let Ok(mut url) = Url::parse(source) else {
        return source.to_owned();
    };
    if !url.has_host() {
        return source.to_owned();
    }
    // Neither fails for a URL with a host.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn approval(how: &How) -> Value {
    let mut approval = json!({ "all": how.approve, "namespaces": how.approve_namespace });
    if let Some(score) = how.approve_score {
        approval["minimumScore"] = json!(score);
    }
    approval
}

async fn schedule(
    connection: &Connection,
    (url, login): (&str, Option<Value>),
    every: Duration,
    (internal, how): (bool, &How),
) -> Result<Reply, Failure> {
    let request = json!({
        "origin": url, "everySeconds": every.as_secs(), "approval": approval(how), "internal": internal,
        "login": login,
    });
    let body = connection
        .post(&api_path!("import-schedules"), &request)
        .await?
        .body;
    let shown = format!(
        "{} is read every {} s from now on; `portreeve import list` shows the runs.",
        text(&body, "name"),
        text(&body, "everySeconds")
    );
    Ok(Reply::new(body, shown))
}

/// Has a registry read by the server, and waits for the end.
async fn follow(connection: &Connection, url: &str, internal: bool, how: &How) -> Result<Reply, Failure> {
    let request = json!({
        "kind": "registry", "origin": url, "dryRun": how.dry_run, "approval": approval(how), "internal": internal,
    });
    let mut run = connection.post(&api_path!("imports"), &request).await?.body;
    let path = api_path!("imports/{}", text(&run, "name"));
    let bar = ProgressBar::new_spinner().with_message(format!("reading {url}"));
    while text(&run, "state") == "open" {
        tokio::time::sleep(LOOK).await;
        run = connection.get(&path).await?.body;
        bar.set_message(format!(
            "reading {url}: {} records",
            report::count(&run, "records")
        ));
        bar.tick();
    }
    bar.finish_and_clear();
    report(connection, run).await
}

/// Uploads records, part by part.
async fn upload(
    connection: &Connection,
    (kind, origin): (&str, &str),
    records: Vec<Record>,
    how: &How,
) -> Result<Reply, Failure> {
    let origin: String = origin.chars().take(500).collect();
    let request = json!({ "kind": kind, "origin": origin, "dryRun": how.dry_run, "approval": approval(how) });
    let run = connection.post(&api_path!("imports"), &request).await?.body;
    let name = text(&run, "name");
    let bar = ProgressBar::new(u64::try_from(records.len()).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} records, {eta} left") {
        bar.set_style(style);
    }
    let path = api_path!("imports/{}/records", name);
    for batch in batches(&records) {
        let request = json!({ "records": batch });
        connection.post(&path, &request).await.map_err(|failure| {
            failure.or_hint("run the same command again: what was taken in is found, the rest follows")
        })?;
        bar.inc(u64::try_from(batch.len()).unwrap_or(0));
    }
    bar.finish_and_clear();
    let finish = api_path!("imports/{}/finish", name);
    let run = connection.post(&finish, &json!({})).await?.body;
    report(connection, run).await
}

/// Parts that the server takes at once.
fn batches(records: &[Record]) -> Vec<&[Record]> {
    let mut batches = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (index, record) in records.iter().enumerate() {
        let is_full = index - begin == BATCH || (bytes + record.text.len() > BATCH_BYTES && index > begin);
        if is_full {
            batches.extend(records.get(begin..index));
            (begin, bytes) = (index, 0);
        }
        bytes += record.text.len();
    }
    batches.extend(records.get(begin..).filter(|rest| !rest.is_empty()));
    batches
}

/// The run with everything that was noticed.
async fn report(connection: &Connection, mut run: Value) -> Result<Reply, Failure> {
    let path = format!(
        "{}?limit=500",
        api_path!("imports/{}/records", text(&run, "name"))
    );
    let records = connection.all(&path).await?;
    let shown = report::of(&run, &records);
    let is_bad = text(&run, "state") == "failed";
    if let Some(run) = run.as_object_mut() {
        let items = records.get("items").cloned().unwrap_or_else(|| json!([]));
        run.insert("records".to_owned(), items);
    }
    Ok(Reply::new(run, shown).bad_if(is_bad))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_named_without_its_secrets() {
        for (source, name) in [
            (
                "https://user:token@git.example/x.git",
                "https://git.example/x.git",
            ),
            (
                "https://a.example/f.json?sig=secret#x",
                "https://a.example/f.json",
            ),
            ("git@git.example:acme/x.git", "git@git.example:acme/x.git"),
            ("./partners", "./partners"),
        ] {
            assert_eq!(nameable(source), name);
        }
    }

    #[test]
    fn parts_hold_every_record_once() {
        let record = |index: usize, bytes: usize| Record {
            place: index.to_string(),
            text: "x".repeat(bytes),
        };
        let records: Vec<Record> = (0..1_201)
            .map(|index| record(index, if index % 400 == 0 { 3_000_000 } else { 10 }))
            .collect();
        let batches = batches(&records);
        assert!(batches.iter().all(|batch| batch.len() <= BATCH));
        let joined: Vec<&Record> = batches.iter().copied().flatten().collect();
        assert_eq!(joined.len(), 1_201);
        assert!(
            joined
                .iter()
                .enumerate()
                .all(|(index, one)| one.place == index.to_string())
        );
        for batch in batches {
            assert!(batch.iter().map(|one| one.text.len()).sum::<usize>() <= BATCH_BYTES);
        }
    }
}

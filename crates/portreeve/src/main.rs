//! The roof: reads the command line, and starts what was asked for.

mod aside;
mod banner;
mod call;
mod cli;
mod config;
mod data;
mod demo;
mod doctor;
mod environment;
mod figures;
mod health;
mod jobs;
mod listener;
mod log;
mod offline;
mod randomness;
mod serve;
mod wire;

use std::process::ExitCode;

use cli::{AuditCommand, Cli, Command, ConfigCommand, Failure, Global, Remote, Reply};

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let global = &cli.global;
    match cli.command {
        Command::Remote(Remote::Audit(AuditCommand::Verify)) if global.data_typed => {
            cli::print(global, here(offline::verify_audit(&global.data_directory())))
        }
        Command::Remote(command) => cli::run(global, command),
        Command::Completions(shell) => match shell.write(&mut std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Command::Serve(args) => match serve::run(global, &args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => cli::print(global, Err(failure)),
        },
        Command::Call(args) => cli::print(global, here(call::run(global, &args))),
        Command::Why(args) => cli::print(global, here(call::why(global, &args))),
        Command::Partner(command) => cli::print(global, here(cli::run_partner(global, command))),
        Command::Config(command) => cli::print(global, configuration(global, command)),
    }
}

/// Runs what needs no more than one thread.
fn here(work: impl Future<Output = Result<Reply, Failure>>) -> Result<Reply, Failure> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?
        .block_on(work)
}

fn configuration(global: &Global, command: ConfigCommand) -> Result<Reply, Failure> {
    match command {
        ConfigCommand::Check { file } => {
            config::Config::read(Some(&file), Vec::new())?;
            let text = format!("`{}` can be used.", file.display());
            Ok(Reply::new(serde_json::json!({"ok": true}), text))
        }
        ConfigCommand::Schema => {
            let schema = config::schema();
            let text = serde_json::to_string_pretty(&schema).unwrap_or_default();
            let _ = global;
            Ok(Reply::new(schema, text))
        }
    }
}

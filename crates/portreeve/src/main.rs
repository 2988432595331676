//! The roof: reads the command line, and starts what was asked for.
#![expect(
    dead_code,
    reason = "the steps that run in this process are not joined here yet"
)]

mod cli;
mod environment;

use std::process::ExitCode;

use cli::{Cli, Command, Failure};

fn main() -> ExitCode {
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    match cli.command {
        Command::Remote(command) => cli::run(&cli.global, command),
        Command::Completions(shell) => match shell.write(&mut std::io::stdout().lock()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Command::Serve(_) | Command::Call(_) | Command::Why(_) | Command::Config(_) => cli::print(
            &cli.global,
            Err(Failure::new(
                "this build has only the commands that talk to a running Portreeve",
            )),
        ),
    }
}

//! A run over files that were handed in as a whole: split into records, and taken in part by part.
//!
//! Before: somebody uploaded files. After: `runs`, once for each part.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::import::{ImportKind, ImportRun};

use super::runs::NewImport;
use super::{Record, split};
use crate::error::RegistryError;
use crate::registry::Registry;

/// A run over files, ready to be followed to its end.
#[derive(Debug)]
pub struct Intake {
    run: ImportRun,
    records: Vec<Record>,
}

impl Intake {
    /// The run.
    pub fn run(&self) -> &ImportRun {
        &self.run
    }
}

// === impl Registry ===

impl Registry {
    /// Begins a run over files.
    pub async fn begin_intake(
        &self,
        caller: &Caller,
        new: NewImport,
        files: Vec<Record>,
    ) -> Result<Intake, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        self.require_rule(caller, &new.approval)?;
        if new.kind == ImportKind::Registry {
            return Err(RegistryError::invalid("kind", "a registry is read by its URL"));
        }
        let (kind, most) = (new.kind, self.parts.limits.import_file_records);
        let records: Vec<Record> = files
            .into_iter()
            .flat_map(|file| split::records_of(kind, file, most))
            .collect();
        if records.is_empty() {
            return Err(RegistryError::invalid("files", "there is no entry in them"));
        }
        Ok(Intake {
            run: self.begin_import(caller, new).await?,
            records,
        })
    }

    /// Follows a run to its end. What was taken in before a failure stays.
    pub async fn take_in(&self, caller: &Caller, intake: Intake) -> Result<ImportRun, RegistryError> {
        let Intake { run, records } = intake;
        let mut records = records.into_iter().peekable();
        while records.peek().is_some() {
            let part = self.part(&mut records);
            if let Err(error) = self.take_records(caller, run.id, part).await {
                let stored = self.import(caller, run.id).await?;
                return self.end_run(caller, stored, Some(error.to_string())).await;
            }
        }
        self.finish_import(caller, run.id).await
    }

    /// As many records as are taken at once.
    fn part(&self, records: &mut std::iter::Peekable<impl Iterator<Item = Record>>) -> Vec<Record> {
        let limits = &self.parts.limits;
        let (mut part, mut bytes) = (Vec::new(), 0);
        let fits = |part: &Vec<Record>, bytes: usize, record: &Record| {
            part.is_empty()
                || (part.len() < limits.import_batch_records
                    && bytes + record.text.len() <= limits.import_batch_bytes)
        };
        while let Some(record) = records.next_if(|record| fits(&part, bytes, record)) {
            bytes += record.text.len();
            part.push(record);
        }
        part
    }
}

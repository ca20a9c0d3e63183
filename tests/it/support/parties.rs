//! Operators and providers, on whose behalf a story loads lines.

use serde_json::Value;
use sha2::{Digest, Sha256};
use zhengming::casework::actors::Owner;
use zhengming::domain::lines::{LabelSaid, LineFormat, TenureSaid};
use zhengming::domain::progress::Stage;
use zhengming::feed::{Acknowledgement, RefusedEntry};
use zhengming::store::Tally;

use super::world::World;

impl World {
    /// An operator's upload: number, event, day.
    pub async fn pushes(&self, operator: &str, lines: &[(&str, &str, &str)]) -> Tally {
        let actor = self.casework.operator_for(Owner::at_the_command_line(), operator.parse().unwrap());
        let mut upload = self.casework.receive_tenures(&actor, None).await.unwrap();
        let mut digest = Sha256::new();
        for (place, (number, event, on)) in lines.iter().enumerate() {
            let line = serde_json::json!({ "number": number, "event": event, "on": on }).to_string();
            digest.update(&line);
            let numbering = &self.casework.reference().numbering;
            let said = TenureSaid::parse(line.as_bytes(), &LineFormat::Json, numbering);
            upload.push(place as u64 + 1, said).await.unwrap();
        }
        upload.finish(digest.finalize().into()).await.unwrap()
    }

    /// A provider's upload of labels, as lines of JSON.
    pub async fn shows(&self, provider: &str, labels: &[Value]) -> Tally {
        let id = provider.parse().unwrap();
        let actor = self.casework.provider_for(Owner::at_the_command_line(), id);
        let mut upload = self.casework.receive_labels(&actor).await.unwrap();
        let reference = self.casework.reference();
        for (place, label) in labels.iter().enumerate() {
            let said = LabelSaid::parse(
                label.to_string().as_bytes(),
                &LineFormat::Json,
                actor.id(),
                &reference.numbering,
                &reference.labels,
                |number| self.casework.today(number),
            );
            upload.push(place as u64 + 1, said).await.unwrap();
        }
        upload.finish().await.unwrap()
    }

    /// A provider has come to the end of the log, and does this with it.
    pub async fn acknowledges(&self, provider: &str, stage: Stage, refused: &[(u64, &str)]) {
        let feed = &self.service.feed;
        let size = feed.publish().await.unwrap();
        let root = feed.root_at(size).unwrap().unwrap();
        let refused = refused.iter().map(|(seq, code)| RefusedEntry {
            seq: *seq,
            code: (*code).to_owned(),
            text: None,
        });
        let ack = Acknowledgement { size, root, stage, refused: refused.collect(), software: None };
        feed.ack(&provider.parse().unwrap(), &ack, self.casework.now()).await.unwrap();
    }
}

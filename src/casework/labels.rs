//! What providers show about one's own number, for whoever has it in hand.

use jiff::civil::Date;

use crate::casework::actors::Holder;
use crate::casework::lookups::Missing;
use crate::casework::{Casework, Result};
use crate::domain::id::ProviderId;
use crate::domain::label::Label;
use crate::domain::number::Number;
use crate::store::{Listing, PAGE_RECORDS_MAX};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyLabels {
    pub number: Number,
    pub labels: Vec<Label>,
    /// Where the operator told us, the holder need not remember.
    pub tenure_began_on: Option<Date>,
    /// Providers that were asked and did not say what they show now: of them
    /// it is what was known before.
    pub missing: Vec<(ProviderId, Missing)>,
}

impl Casework {
    pub async fn my_labels(&self, holder: &Holder) -> Result<MyLabels> {
        let number = holder.number();
        let missing = self.look_up_all(number).await;
        let file = self.number_file(number).await?.value;
        let tenure_began_on = file.ledger.proven(self.rest_days(number)).map(|tenure| tenure.began_on);
        Ok(MyLabels { number, labels: self.labels_of(number).await?, tenure_began_on, missing })
    }

    pub(super) async fn labels_of(&self, number: Number) -> Result<Vec<Label>> {
        // A provider has two labels of a number at most, and providers are few.
        let (labels, _) =
            self.store().page::<Label>(&Listing::LabelsOf(number), None, PAGE_RECORDS_MAX).await?;
        Ok(labels.into_iter().map(|label| label.value).collect())
    }
}

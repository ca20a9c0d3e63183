//! What whoever watches the service is given: metrics, alerts, a dashboard, and
//! the README's chapter about them, held against a service that runs.

mod alerts;
mod shown;
mod spans;

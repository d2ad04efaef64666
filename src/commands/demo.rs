//! `reachwire demo`: the product with made-up data and its own CRM simulator, to be tried in a minute.

use crate::{
    access::{
        Ctx, Signed,
        model::{Role, SessionInfo},
        password, store as access,
    },
    audiences,
    campaigns,
    clock::{DAY, MINUTE},
    config::{Config, Flags},
    crm, customers,
    delivery::model::SendState,
    error::AppError,
    server::{self, AppState},
    tasks::{
        self,
        model::{TaskInput, ValueInput, VariableInput},
    },
    webhooks::{
        self,
        model::{Authentication, Parameter, ParameterType, ReceiptStatus, WebhookInput},
    },
    wire,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};

const WORKSPACE: &str = "Spring Store";
const PASSWORD: &str = "reachwire-demo";
const KEY: &str = "demo key 123456789";
const CUSTOMERS: usize = 10_000;

#[derive(clap::Args)]
pub struct DemoArgs {
    #[command(flatten)]
    pub flags: Flags,
    /// Where the CRM simulator listens.
    #[arg(long, default_value = "127.0.0.1:4010")]
    pub crm: SocketAddr,
}

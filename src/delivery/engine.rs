//! The engine's handle.

use super::{
    CountAs, Sender,
    claim::InHand,
    clock_forward::Watch,
    context::Contexts,
    control,
    courier::Courier,
    dispatch::Dispatcher,
    gate::Changes,
    ids::SendKey,
    limits::Limits,
    model::Exchange,
    nodes::{Heart, Me, Membership, View},
    plan::Planner,
    post::{self, Address, Poster, Prepared, Request},
    queue::{self, Due},
    recover::Recoverer,
    resend::{self, Which},
    resolve,
    retention::Pace,
    supervise::{Loop, Pulse, Stopping, supervise},
    tls::Tls,
    traced::Traced,
    wake::Listener,
    watch::Watcher,
};
use crate::{
    audit::Note,
    clock::{Clock, MINUTE, Millis, new_id},
    config::Config,
    db::Db,
    error::{AppError, AppResult},
    secrets::MasterKey,
    traces::Traces,
    wire::{
        environment::Environment,
        message::{self, CallbackParams, Message, Params, ProcessInfo, UserProfile},
        text::Template,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, Notify, Semaphore, mpsc, watch},
    task::JoinHandle,
};

/// The running engine's handle. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    db: Db,
    clock: Clock,
    poster: Poster,
    changes: Arc<Changes>,
    plan_wake: Arc<Notify>,
    dispatch_wake: Arc<Notify>,
    traces: Traces,
    /// When it began.
    began: Millis,
    node: String,
    pulses: Vec<Pulse>,
    asking_to_stop: watch::Sender<bool>,
    loops: Mutex<Vec<JoinHandle<()>>>,
    /// The heart stops last.
    last: watch::Sender<bool>,
    heart: Mutex<Option<JoinHandle<()>>>,
}

/// A message to one made-up user (seed 002, "Test sending").
pub struct TestSend {
    pub url: String,
    pub key: Option<SecretString>,
    pub tls: Tls,
    pub environment: Option<Environment>,
    /// The webhook's id; empty for one that is not saved yet.
    pub webhook_id: String,
    pub target_type: String,
    /// As it is to be sent: already encrypted.
    pub target_id: String,
    /// Names and values, in the webhook's order.
    pub params: Vec<(String, String)>,
}

impl Engine {
    /// Starts the loops, those of a worker if the settings make this node one. Needs a tokio runtime.
    ///
    /// # Panics
    /// When the HTTP client can't be made: a malformed proxy address in the settings, or no TLS roots at all.
    pub fn start(config: &Config, db: Db, clock: Clock, master_key: MasterKey, senders: Vec<Arc<dyn Sender>>) -> Self {
        let engine = &config.engine;
        let poster = Poster::new(engine).unwrap_or_else(|error| panic!("the HTTP client: {error}"));
        let (asking_to_stop, stopping) = Stopping::channel();
        let (plan_wake, dispatch_wake) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (finished, results) = mpsc::unbounded_channel();
        let (in_hand, changes) = (InHand::default(), Arc::<Changes>::default());
        let (traces, began) = (Traces::new(&config.otlp), clock.now());
        let posts = Arc::new(Semaphore::new(engine.posts_at_once));
        let members = Membership::new(if db.is_sqlite() { View::alone() } else { View::none() });
        let me =
            Me { id: new_id(), name: config.nodes.name(config.listen), roles: config.roles, started_at: clock.now() };
        let node = me.id.clone();
        let heart = Heart {
            db: db.clone(),
            clock: clock.clone(),
            me,
            members: members.clone(),
            in_hand: in_hand.clone(),
            posts: (posts.clone(), engine.posts_at_once),
            dispatch: dispatch_wake.clone(),
        };
        let listener = Listener {
            db: db.clone(),
            url: config.nodes.direct_url.clone(),
            changes: changes.clone(),
            plan: plan_wake.clone(),
            dispatch: dispatch_wake.clone(),
            nodes: members.beat(),
        };
        let courier = Courier {
            traced: Traced::new(traces.clone()),
            poster: poster.clone(),
            db: db.clone(),
            clock: clock.clone(),
            shelf: Arc::default(),
            changes: changes.clone(),
            posts,
            stopping: stopping.clone(),
            finished,
        };
        let dispatcher = Dispatcher {
            db: db.clone(),
            clock: clock.clone(),
            master_key,
            lease: engine.lease_ms,
            policy: engine.into(),
            breaker: (&engine.breaker).into(),
            courier,
            wake: dispatch_wake.clone(),
            limits: Limits::new(engine.posts_at_once),
            members,
            contexts: Contexts::default(),
            results,
            ended: Vec::new(),
            node: node.clone(),
            rounds: 0,
            doubt: None,
            in_hand: in_hand.clone(),
            give_up_hours: engine.give_up_hours,
            recovered: false,
        };
        let planner = Planner {
            node: node.clone(),
            db: db.clone(),
            clock: clock.clone(),
            senders,
            latest: engine.misfire_minutes * MINUTE,
            wake: plan_wake.clone(),
            planned: dispatch_wake.clone(),
        };
        let recoverer = Recoverer {
            db: db.clone(),
            clock: clock.clone(),
            in_hand,
            lease: engine.lease_ms,
            give_up_hours: engine.give_up_hours,
            forward: Watch::default(),
            pace: Pace::default(),
            recovered: dispatch_wake.clone(),
        };
        let mut loops = Vec::new();
        let mut pulses = Vec::new();
        if config.roles.worker {
            let pulse = |name| Pulse::new(name, clock.clone());
            pulses.extend([
                pulse(<Mutex<Dispatcher>>::NAME),
                pulse(Planner::NAME),
                pulse(Recoverer::NAME),
                pulse(Watcher::NAME),
            ]);
            let watcher = Watcher {
                db: db.clone(),
                clock: clock.clone(),
                began,
                pulses: pulses.clone(),
                told: std::sync::Mutex::default(),
            };
            loops.extend([
                supervise(Mutex::new(dispatcher), pulses[0].clone(), stopping.clone()),
                supervise(planner, pulses[1].clone(), stopping.clone()),
                supervise(recoverer, pulses[2].clone(), stopping.clone()),
                supervise(watcher, pulses[3].clone(), stopping.clone()),
            ]);
        }
        if config.roles.worker && config.nodes.listen && !db.is_sqlite() {
            loops.push(tokio::spawn(listener.run(stopping)));
        }
        let (last, gone) = Stopping::channel();
        let heart = Mutex::new(Some(tokio::spawn(heart.run(gone))));
        Self(Arc::new(Inner {
            db,
            clock,
            poster,
            changes,
            plan_wake,
            dispatch_wake,
            traces,
            began,
            node,
            pulses,
            asking_to_stop,
            loops: Mutex::new(loops),
            last,
            heart,
        }))
    }

    /// The client that POSTs, for what else calls customers' systems.
    pub fn poster(&self) -> &Poster {
        &self.0.poster
    }

    /// This node's id among those of the database.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// Its loops by name, each with what is wrong with it, for people.
    pub fn loops(&self) -> impl Iterator<Item = (&'static str, Option<String>)> {
        self.0.pulses.iter().map(|pulse| (pulse.name(), pulse.trouble()))
    }

    /// What could go now, and whether it does.
    pub async fn due(&self) -> sqlx::Result<Due> {
        queue::due(&self.0.db, self.0.began, self.0.clock.now()).await
    }

    /// Where spans go, for what else is traced.
    pub fn traces(&self) -> &Traces {
        &self.0.traces
    }

    /// Something was made, changed or became due: look at once. Other nodes hear of it by [`super::wake::tell`].
    pub fn wake(&self) {
        self.0.changes.add();
        self.0.plan_wake.notify_one();
        self.0.dispatch_wake.notify_one();
    }

    /// Stops claiming, lets running POSTs end within `grace`, records them. What was claimed and not begun goes back.
    pub async fn stop(&self, grace: Duration) {
        self.0.asking_to_stop.send_replace(true);
        self.wake();
        let mut loops = self.0.loops.lock().await;
        let ended = futures::future::join_all(loops.iter_mut());
        let heart = self.0.heart.lock().await.take();
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!("some POSTs did not end in time; their outcomes are unknown at the next start");
            loops.iter().for_each(JoinHandle::abort);
            // To the other nodes it is dead when it is not heard of: its POSTs may still run.
            heart.iter().for_each(JoinHandle::abort);
        } else if let Some(heart) = heart {
            self.0.last.send_replace(true);
            let _ = heart.await;
        }
        loops.clear();
    }

    /// No further POST begins. `Conflict` when it is not being sent. What people do to a send is written to the audit log
    /// with it.
    pub async fn pause(&self, workspace_id: &str, id: &str, note: &Note<'_>) -> AppResult<()> {
        control::pause(&self.0.db, &SendKey::new(workspace_id, id), note).await?;
        self.0.changes.add();
        Ok(())
    }

    /// Goes on after a pause. `Conflict` when it is not paused.
    pub async fn resume(&self, workspace_id: &str, id: &str, note: &Note<'_>) -> AppResult<()> {
        control::resume(&self.0.db, &SendKey::new(workspace_id, id), note, self.0.clock.now()).await?;
        self.wake();
        Ok(())
    }

    /// Begins a send that missed its time. `Conflict` when it did not, or its webhook is disabled.
    pub async fn send_now(&self, workspace_id: &str, id: &str, note: &Note<'_>) -> AppResult<()> {
        control::send_now(&self.0.db, &SendKey::new(workspace_id, id), note, self.0.clock.now()).await?;
        self.wake();
        Ok(())
    }

    /// Ends a send for good: who was not sent to is skipped with the reason "stopped", planned or not; what waited for
    /// another try has failed; what is in flight is recorded. `Conflict` when it has ended.
    pub async fn stop_send(&self, workspace_id: &str, id: &str, note: &Note<'_>) -> AppResult<()> {
        control::stop(&self.0.db, &SendKey::new(workspace_id, id), note, self.0.clock.now()).await?;
        self.0.changes.add();
        Ok(())
    }

    /// "Send failed again": all failures, or those with one reason, with the same ids and a fresh number of tries.
    /// Messages of an ended send whose outcome is unknown stay so. How many users; `Conflict` when there are none.
    pub async fn resend_failed(
        &self,
        workspace_id: &str,
        id: &str,
        reason: Option<&str>,
        note: &Note<'_>,
    ) -> AppResult<i64> {
        self.resend(workspace_id, id, Which::Failed(reason), note).await
    }

    /// Sends again what may or may not have been received, with the same ids and a fresh number of tries. How many
    /// users; `Conflict` when there are none.
    pub async fn resend_unknown(&self, workspace_id: &str, id: &str, note: &Note<'_>) -> AppResult<i64> {
        self.resend(workspace_id, id, Which::Unknown, note).await
    }

    /// A person decides what the unknown ones of a send that has ended count as. `Conflict` when there are not as many
    /// users as the person was told of.
    pub async fn count_unknown(
        &self,
        workspace_id: &str,
        id: &str,
        count_as: CountAs,
        users: i64,
        note: &Note<'_>,
    ) -> AppResult<()> {
        let now = self.0.clock.now();
        resolve::unknown(&self.0.db, &SendKey::new(workspace_id, id), count_as, users, note, now).await
    }

    async fn resend(&self, workspace_id: &str, id: &str, which: Which<'_>, note: &Note<'_>) -> AppResult<i64> {
        let now = self.0.clock.now();
        let users = resend::again(&self.0.db, &SendKey::new(workspace_id, id), which, note, now).await?;
        self.wake();
        Ok(users)
    }

    /// One POST to one made-up user, with everything that was sent and answered. Nothing is recorded. `Conflict` when
    /// the webhook's certificates can't be used.
    pub async fn test_send(&self, test: TestSend) -> AppResult<Exchange> {
        let poster = self.0.poster.of_webhook(&test.webhook_id, &test.tls);
        let poster =
            poster.map_err(|error| AppError::conflict(format!("The webhook's certificates can't be used: {error}")))?;
        let now = self.0.clock.now();
        let id = format!("test-{}", new_id());
        let mut template = Template::default();
        for (name, value) in &test.params {
            template.push_constant(name, value);
        }
        let message = Message {
            user_profile: UserProfile { target_type: &test.target_type, target_id: &test.target_id, customer_id: "" },
            params: Params::<String> { template: &template, values: &[] },
            callback_params: CallbackParams {
                webhook_id: test.webhook_id.as_str().into(),
                send_time: now.to_string().into(),
                batch_id: id.as_str().into(),
                action_id: format!("{id}-0").into(),
                ..CallbackParams::default()
            },
            process_info: ProcessInfo::default(),
        };
        // Strings always have a JSON form.
        let body = message::body(&[message]).unwrap_or_default();
        let prepared = Prepared::new(Request {
            url: &Address::new(&test.url),
            key: test.key.as_ref().map(|key| key.expose_secret()),
            environment: test.environment.as_ref(),
            id: &id,
            body: body.into(),
            now,
            nonce: &post::nonce(),
        });
        Ok(poster.exchange_log(prepared, now).await)
    }
}

#[cfg(test)]
mod tests;

//! Words, numbers, buttons, dialogs.

use leptos::prelude::*;

use super::NOW;
use crate::error::AppError;
use crate::ui::{
    Badge, Button, Chip, CodeBlock, Confirm, Dialog, EmptyState, ErrorNote, Fact, Facts, Glyph, Icon, LinkButton, Note,
    Panel, Progress, RowMenu, Skeleton, Stepper, SubmitButton, Tabs, Tile, Tiles, Time, Tone, format, use_toasts,
};

const MESSAGE: &str = r#"[{ "user_profile": {
      "target_type": "OPEN_ID",
      "target_id": "5f2b…c81d",
      "customer_id": "00017" },
    "params": { "coupon_id": "SPRING-260", "coupon_text": "Dear Member, 20 % off in your shop in Hangzhou until Sunday" } }]"#;

/// Badges, notes, facts, buttons, dialogs, states of a page.
#[component]
pub fn WordsSection() -> impl IntoView {
    view! {
        <div class="grid halves">
            {words()}
            {buttons()}
        </div>
        {task()}
        <div class="grid halves">
            {notes()}
            {blanks()}
        </div>
    }
    .into_any()
}

fn words() -> AnyView {
    let tones = [
        (Tone::Neutral, "Stopped"),
        (Tone::Run, "Sending"),
        (Tone::Ok, "Finished"),
        (Tone::Warn, "Waiting"),
        (Tone::Bad, "Failed"),
        (Tone::Odd, "Unknown"),
    ];
    let badges = tones.into_iter().map(|(tone, text)| view! { <Badge tone text/> }).collect_view();
    let icons = Glyph::ALL.into_iter().map(|glyph| view! { <Icon glyph/> }).collect_view();
    view! {
        <Panel title="Words and numbers">
            <div class="grid">
                <div class="actions">{badges}</div>
                <div class="actions"><Chip text="${name}"/><Chip text="city → skip user"/></div>
                <div class="actions">{icons}</div>
                <Facts>
                    <Fact label="Time"><Time ms=NOW/></Fact>
                    <Fact label="To the minute"><Time ms=NOW seconds=false/></Fact>
                    <Fact label="Relative"><Time ms=NOW - 312_000 now=NOW/></Fact>
                    <Fact label="Count">{format::counted(23_570, "customer")}</Fact>
                    <Fact label="Size">{format::bytes(12_600_000)}</Fact>
                    <Fact label="Length">{format::duration_ms(601_200_000)} ", " {format::about_ms(2_100)}</Fact>
                    <Fact label="Share, pace">{format::percent(18_104, 18_200)} ", " {format::rate(210_400.0, "users")}</Fact>
                </Facts>
                <Stepper steps=["Choose a file", "Match columns", "Import"].map(String::from) current=1_u32/>
            </div>
        </Panel>
    }
    .into_any()
}

fn buttons() -> AnyView {
    let toasts = use_toasts();
    let say = move |tone: Tone, text: &'static str| Callback::new(move |()| toasts.show(tone, text));
    view! {
        <Panel title="Actions" actions=view! { <a href="/ui">"A link in a head"</a> }.into_any()>
            <div class="grid">
                <div class="actions">
                    <Button label="Pause"/>
                    <Button label="Create Webhook" primary=true icon=Glyph::Plus/>
                    <Button label="Stop" danger=true/>
                    <Button label="Delete" primary=true danger=true/>
                    <Button label="Cancel" bare=true/>
                    <Button label="Not now" disabled=true/>
                    <LinkButton href="/ui" label="Export CSV" external=true/>
                    <RowMenu id="gallery-menu" label="More actions for the gallery">
                        <a href="/ui">"Edit"</a>
                        <a href="/ui">"Copy"</a>
                        <button type="button" disabled>"Grant"</button>
                        <hr/>
                        <button type="button" class="danger" data-dialog-open="gallery-confirm">"Delete"</button>
                    </RowMenu>
                </div>
                <div class="actions">
                    <SubmitButton label="Submit Sending Task"/>
                    <SubmitButton label="Submitting" pending=true/>
                    <SubmitButton label="Test Send" secondary=true/>
                    <SubmitButton label="Testing" secondary=true pending=true/>
                </div>
                <div class="actions">
                    <Button label="Open a dialog" opens="gallery-dialog"/>
                    <Button label="Delete something" danger=true opens="gallery-confirm"/>
                    <Button label="Good news" on_click=say(Tone::Ok, "Saved.")/>
                    <Button label="Bad news" on_click=say(Tone::Bad, "Not saved: SMS gateway is being edited by somebody else.")/>
                </div>
                <Tabs
                    label="Example views"
                    items=["Users", "Batches", "Receipts", "History"].map(|tab| (tab.to_string(), format!("/ui?tab={tab}"))).to_vec()
                    current="/ui?tab=Users"
                />
                <CodeBlock id="gallery-code" text=MESSAGE label="message" copy=true/>
            </div>
        </Panel>
        <Dialog id="gallery-dialog" title="Test sending" wide=true>
            <p>"The browser’s own dialog: it takes the focus, Escape closes it, the page behind is out of reach."</p>
            <CodeBlock id="gallery-dialog-code" text=MESSAGE label="log" copy=true/>
            <div class="dialog-foot"><button type="button" class="btn" data-dialog-close="">"Close"</button></div>
        </Dialog>
        <Confirm
            id="gallery-confirm"
            title="Delete “Coupon service”?"
            text="The webhook and its test log are removed. This cannot be undone."
            confirm_label="Delete"
            danger=true
            on_confirm=say(Tone::Ok, "Coupon service was deleted.")
        />
    }
    .into_any()
}

fn task() -> AnyView {
    let tiles = vec![
        Tile::new("Sent", format::count(18_200)),
        Tile::new("Accepted", format::count(18_104)).note(format::percent(18_104, 18_200)),
        Tile::new("Failed", "96").tone(Tone::Bad),
        Tile::new("Skipped", "158"),
        Tile::new("Unknown", "0"),
        Tile::new("Receipts until", "6 d 23 h"),
    ];
    let parts = vec![(Tone::Run, 18_104_i64), (Tone::Bad, 96), (Tone::Neutral, 158)];
    view! {
        <Panel title="Under way" actions=view! { <Badge tone=Tone::Run text="Sending"/> }.into_any()>
            <Progress
                parts
                total=23_570_i64
                label="Progress of the task"
                caption="18,358 of 23,570 decided"
                rate=format::rate(210_400.0, "users")
                left=format!("{} left", format::about_ms(2_000))
            />
            <Tiles items=tiles/>
        </Panel>
    }
    .into_any()
}

fn notes() -> AnyView {
    view! {
        <Panel title="Notes">
            <div class="grid">
                <Note><p>"Draft: nobody but you sees it."</p></Note>
                <Note tone=Tone::Run>
                    <p>"23,412 users in 235 batches, 12.6 MB. 158 are skipped: " <a href="/ui">"see who and why"</a> "."</p>
                </Note>
                <Note tone=Tone::Ok><p>"The test was accepted in 84 ms."</p></Note>
                <Note tone=Tone::Warn><p>"This address is http: what you send can be read on the way. https is recommended."</p></Note>
                <Note tone=Tone::Bad><p>"Nothing can be sent: the webhook is disabled."</p></Note>
                <Note tone=Tone::Odd><p>"36 users are unknown: the connection broke after the message had left."</p></Note>
            </div>
        </Panel>
    }
    .into_any()
}

fn blanks() -> AnyView {
    view! {
        <div class="grid">
            <Panel padded=false>
                <EmptyState
                    title="No webhooks yet"
                    text="A webhook is an endpoint of your own system that tasks send to: a coupon service, an SMS gateway."
                >
                    <LinkButton href="/webhooks/new" label="Create Webhook" primary=true/>
                </EmptyState>
            </Panel>
            <Panel padded=false><Skeleton rows=3/></Panel>
            <Panel padded=false><ErrorNote error=AppError::Internal("7f3a9c0d".to_string())/></Panel>
            <Panel padded=false><ErrorNote error=AppError::Unauthenticated/></Panel>
        </div>
    }
    .into_any()
}

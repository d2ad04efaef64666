//! What is asked before something is done to a member, from the list and from the member's page.

use super::{
    api::{MakeMemberLink, RemoveMember, SetMemberEnabled},
    model::MemberRow,
};
use crate::ui::{Confirm, SubmitButton, close_dialog};
use leptos::{form::ActionForm, prelude::*};

/// Disables in this workspace, from the dialog `dialog`.
pub(super) fn disable(dialog: String, member: &MemberRow, action: ServerAction<SetMemberEnabled>) -> AnyView {
    let (own, id) = (dialog.clone(), member.id.clone());
    let text = format!(
        "{} ({}) can't use this workspace any more and is signed out of it at once. Roles, groups, attributes and \
         webhook grants stay for when the member is enabled again.",
        member.name, member.email
    );
    view! {
        <Confirm id=dialog title="Disable member" text danger=true>
            <ActionForm action on:submit=move |_| close_dialog(&own)>
                <input type="hidden" name="id" value=id />
                <input type="hidden" name="enabled" value="false" />
                <SubmitButton label="Disable" danger=true pending=action.pending() />
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

/// Makes a link for a new password.
pub(super) fn reset(dialog: String, member: &MemberRow, action: ServerAction<MakeMemberLink>) -> AnyView {
    let (own, id) = (dialog.clone(), member.id.clone());
    let text = format!(
        "A link is made by which {} ({}) sets a new password. It takes the place of one that was made before. The \
         password that stands works until the link is used; then all sessions end.",
        member.name, member.email
    );
    view! {
        <Confirm id=dialog title="Reset password" text>
            <ActionForm action on:submit=move |_| close_dialog(&own)>
                <input type="hidden" name="id" value=id />
                <SubmitButton label="Make the link" pending=action.pending() />
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

/// Removes from the workspace.
pub(super) fn remove(dialog: String, member: &MemberRow, action: ServerAction<RemoveMember>) -> AnyView {
    let (own, id) = (dialog.clone(), member.id.clone());
    let text = format!(
        "{} ({}) can't use this workspace any more, at once. Roles, groups, attributes and webhook grants here are \
         deleted; the account and what it made stay.",
        member.name, member.email
    );
    view! {
        <Confirm id=dialog title="Remove from workspace" text danger=true>
            <ActionForm action on:submit=move |_| close_dialog(&own)>
                <input type="hidden" name="id" value=id />
                <SubmitButton label="Remove" danger=true pending=action.pending() />
            </ActionForm>
        </Confirm>
    }
    .into_any()
}

//! What is asked before something is done to a member, from the list and from the member's page.

use super::{
    api::{MakeMemberLink, RemoveMember, SetMemberEnabled},
    model::MemberRow,
};
use crate::ui::ConfirmAction;
use leptos::prelude::*;

/// Disables in this workspace, from the dialog `dialog`.
pub(super) fn disable(dialog: String, member: &MemberRow, action: ServerAction<SetMemberEnabled>) -> AnyView {
    let id = member.id.clone();
    let text = format!(
        "{} ({}) can't use this workspace any more and is signed out of it at once. Roles, groups, attributes and \
         webhook grants stay for when the member is enabled again.",
        member.name, member.email
    );
    view! {
        <ConfirmAction
            id=dialog
            title="Disable member"
            text
            danger=true
            label="Disable"
            action
            fields=vec![("id", id), ("enabled", "false".into())]
        />
    }
    .into_any()
}

/// Makes a link for a new password.
pub(super) fn reset(dialog: String, member: &MemberRow, action: ServerAction<MakeMemberLink>) -> AnyView {
    let id = member.id.clone();
    let text = format!(
        "A link is made by which {} ({}) sets a new password. It takes the place of one that was made before. The \
         password that stands works until the link is used; then all sessions end.",
        member.name, member.email
    );
    view! {
        <ConfirmAction
            id=dialog
            title="Reset password"
            text
            label="Make the link"
            action
            fields=vec![("id", id)]
        />
    }
    .into_any()
}

/// Removes from the workspace.
pub(super) fn remove(dialog: String, member: &MemberRow, action: ServerAction<RemoveMember>) -> AnyView {
    let id = member.id.clone();
    let text = format!(
        "{} ({}) can't use this workspace any more, at once. Roles, groups, attributes and webhook grants here are \
         deleted; the account and what it made stay.",
        member.name, member.email
    );
    view! {
        <ConfirmAction
            id=dialog
            title="Remove from workspace"
            text
            danger=true
            label="Remove"
            action
            fields=vec![("id", id)]
        />
    }
    .into_any()
}

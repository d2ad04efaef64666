//! The organization in the database.

mod accounts;
mod workspaces;

pub use accounts::{change, page};
pub use workspaces::{create, edit, list};

use crate::{access::Ctx, db::Tx, error::AppError, execute, fetch};

/// Lets changes of the organization go one after the other, by holding a row of its own, until the transaction ends: what one finds, such as the last administrator, another cannot take away meanwhile. The caller, who may have
/// waited, must still be an organization administrator then.
async fn hold(tx: &mut Tx, ctx: &Ctx) -> Result<(), AppError> {
    execute!(
        tx,
        "insert into settings (key, value) values ('organization_changes', '')
         on conflict (key) do update set value = settings.value"
    )?;
    let still = fetch!(
        tx,
        optional,
        (i32,),
        "select 1 from users where id = $1 and organization_admin and disabled_at is null",
        ctx.user()
    )?;
    still.map(|_| ()).ok_or(AppError::Forbidden)
}

//! `POST /dev/v1/resellers/{id}/stock-transfers/{transferId}/revoke` and `.../inventory/{itemId}/revoke`: the
//! merchant takes serials back. They stay claimed; what was paid for those whose text never left goes to the
//! balance.

use std::sync::Arc;

use axum::{
    extract::State,
    response::{IntoResponse as _, Response},
};
use engine::{
    ids::{InventoryItemId, RelationshipId, SerialId, StockRequestId},
    money::Currency,
    relationships::RelationshipScope,
    stock_requests::{GiveBack, NOTE_CHARS_MAX, NotTaken, StockRequest},
};
use persistence::{
    owned,
    stock_requests::{self, Revoke, Revoked},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    InventoryItemView, StockRequestView, counted,
    give_back::{give_back, room_for},
    invoice::wrong,
    shown::{Reader, Text},
};
use crate::{
    auth::{MerchantKey, scope::ResellerStockWrite},
    balances::owner::scope_of,
    error::{ApiError, Code},
    extract::{Once, PathIds},
    state::App,
    wire::{answer::Answer, texts},
};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeStock {
    /// BALANCE, or NONE with a reason; BALANCE if it is left out.
    refund: Option<String>,
    reason: Option<String>,
}

/// A purchase after serials of it were taken back.
#[derive(Serialize, ToSchema)]
pub(crate) struct RevokedStock {
    #[serde(flatten)]
    request: StockRequestView,
    /// Of its items, in all: taken back, with a customer, and those whose text left.
    revoked_count: u64,
    delivered_count: u64,
    handed_over_count: u64,
}

pub(crate) async fn dev(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds((relationship, id)): PathIds<(RelationshipId, StockRequestId)>,
    once: Once<RevokeStock>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<ResellerStockWrite>, wire: RevokeStock| async move {
        let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
        let found = stock_requests::find(&app.database, scope, id).await?;
        let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
        let (revoke, by) = (wire.read()?, (caller.actor(), app.now()));
        if revoke.how == GiveBack::Balance {
            room_for(&app, scope, found.total).await?;
        }
        let work = app.clone();
        // One task for both: what goes back is credited, whether or not the caller waits.
        let done = owned(async move {
            let done = stock_requests::revoke(&work.database, (scope, id), revoke, by).await?;
            credited(&work, done).await
        });
        let (request, again) = done.await?;
        let told = told(&app, scope, request, caller.currency()).await;
        let told = told.map_err(ApiError::after_change)?;
        Ok(Answer::stepped(again, told).into_response())
    };
    once.run(app, caller, work).await
}

pub(crate) async fn dev_item(
    State(app): State<App>,
    caller: MerchantKey<ResellerStockWrite>,
    PathIds((relationship, item)): PathIds<(RelationshipId, InventoryItemId)>,
    once: Once<RevokeStock>,
) -> Result<Response, ApiError> {
    let work = move |app: App, caller: MerchantKey<ResellerStockWrite>, wire: RevokeStock| async move {
        let scope = scope_of(&app, caller.merchant_id(), relationship).await?;
        let serial = SerialId::from_uuid(item.uuid());
        let (revoke, by) = (wire.read()?, (caller.actor(), app.now()));
        let merchant = Arc::clone(caller.merchant());
        let work = app.clone();
        // One task for both, as above.
        let done = owned(async move {
            let of = (scope, serial);
            let done = stock_requests::revoke_item(&work.database, of, revoke, by).await?;
            credited(&work, done).await
        });
        let (_, again) = done.await?;
        let item = async {
            let found = stock_requests::find_item(&app.database, scope, serial).await?;
            let found = found.ok_or_else(|| ApiError::new(Code::NotFound))?;
            let how = (Reader::Merchant, Text::Masked);
            Ok(InventoryItemView::of(&app.engine, &merchant, &found, how).await)
        };
        let item = item.await.map_err(ApiError::after_change)?;
        Ok(Answer::stepped(again, item).into_response())
    };
    once.run(app, caller, work).await
}

/// Credits what goes back; how the request stands, and whether it stood so before.
async fn credited(app: &App, done: Option<Revoked>) -> Result<(StockRequest, bool), ApiError> {
    match done.ok_or_else(|| ApiError::new(Code::NotFound))? {
        Revoked::Done(request, refund) => {
            if let Some(refund) = refund {
                let given = give_back(app, refund).await;
                given.map_err(ApiError::after_change)?;
            }
            counted(app, &request).await?;
            Ok((*request, false))
        }
        Revoked::Already(request) => Ok((*request, true)),
        Revoked::Wrong(found) => Err(wrong(&found, app.now())),
        Revoked::NotTaken(NotTaken::NoReason) => Err(ApiError::field(
            "reason",
            "must say why a customer loses it",
        )),
        Revoked::NotTaken(NotTaken::Status(status)) => {
            Err(ApiError::new(Code::InvalidState).detail("status", status.name()))
        }
    }
}

async fn told(
    app: &App,
    scope: RelationshipScope,
    request: StockRequest,
    currency: Currency,
) -> Result<RevokedStock, ApiError> {
    let found = stock_requests::find(&app.database, scope, request.id).await?;
    let request = found.unwrap_or(request);
    let handed_over = stock_requests::handed_over(&app.database, scope, request.id).await?;
    Ok(RevokedStock {
        revoked_count: request.counts.revoked,
        delivered_count: request.counts.delivered,
        handed_over_count: handed_over,
        request: StockRequestView::of(&request, currency, app.now()),
    })
}

impl RevokeStock {
    fn read(self) -> Result<Revoke, ApiError> {
        let how = texts::word(self.refund, "refund", |word| match word {
            "BALANCE" => Some(GiveBack::Balance),
            "NONE" => Some(GiveBack::Nothing),
            _ => None,
        })?;
        let revoke = Revoke {
            how: how.unwrap_or(GiveBack::Balance),
            reason: texts::lines(self.reason, "reason", NOTE_CHARS_MAX)?,
        };
        if revoke.how == GiveBack::Nothing && revoke.reason.is_none() {
            return Err(ApiError::field("reason", "must say why nothing goes back"));
        }
        Ok(revoke)
    }
}

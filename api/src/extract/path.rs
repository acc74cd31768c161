//! Ids in the path. A malformed one is 404, like one that does not exist.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use engine::ids::{
    CampaignId, CommissionId, ConnectionId, DeliveryId, FulfillmentId, ImportId, InventoryItemId,
    InvitationId, InvoiceId, ItemId, KeyId, LinkId, ListingId, MerchantId, PayoutId, ProductId,
    RelationshipId, ReplacementId, SaleId, SessionId, StockRequestId, VariantId, WebhookId,
};

use crate::error::{ApiError, Code};

/// An id that a path can carry.
pub(crate) trait PathId: Sized + Send {
    fn parse(text: &str) -> Option<Self>;
}

macro_rules! path_ids {
    ($($id:ident)*) => {$(
        impl PathId for $id {
            fn parse(text: &str) -> Option<Self> {
                Self::parse(text)
            }
        }
    )*};
}

path_ids!(CampaignId CommissionId ConnectionId DeliveryId FulfillmentId ImportId InventoryItemId InvitationId InvoiceId ItemId KeyId LinkId ListingId MerchantId PayoutId ProductId RelationshipId ReplacementId SaleId SessionId StockRequestId VariantId WebhookId);

/// All ids of the path, in its order: one, two or three.
pub(crate) struct PathIds<T>(pub(crate) T);

impl<S: Send + Sync, A: PathId> FromRequestParts<S> for PathIds<A> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path(text) = Path::<String>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::new(Code::NotFound))?;
        let id = A::parse(&text).ok_or_else(|| ApiError::new(Code::NotFound))?;
        Ok(Self(id))
    }
}

impl<S: Send + Sync, A: PathId, B: PathId> FromRequestParts<S> for PathIds<(A, B)> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Path((first, second)) = Path::<(String, String)>::from_request_parts(parts, state)
            .await
            .map_err(|_| ApiError::new(Code::NotFound))?;
        let ids = A::parse(&first).zip(B::parse(&second));
        ids.map(Self).ok_or_else(|| ApiError::new(Code::NotFound))
    }
}

impl<S: Send + Sync, A: PathId, B: PathId, C: PathId> FromRequestParts<S> for PathIds<(A, B, C)> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let texts = Path::<(String, String, String)>::from_request_parts(parts, state).await;
        let missing = || ApiError::new(Code::NotFound);
        let Path((first, second, third)) = texts.map_err(|_| missing())?;
        let ids = A::parse(&first)
            .zip(B::parse(&second))
            .zip(C::parse(&third));
        let ((first, second), third) = ids.ok_or_else(missing)?;
        Ok(Self((first, second, third)))
    }
}

//! Withdrawals as they are stored, and where the serials stand that one asks for.

use engine::{
    catalog::Sku,
    ids::{MerchantId, ProductId, SerialId, VariantId, WithdrawalId},
    inventory::{Position, Purpose, ShelvedSerial, Standing, Withdrawal},
    vault::Sealed,
};
use sqlx::PgConnection;
use uuid::Uuid;

use crate::Error;

#[derive(sqlx::FromRow)]
struct WithdrawalRow {
    merchant_id: Uuid,
    product_id: Uuid,
    variant_id: Option<Uuid>,
    kind: i16,
    serial_ids: Vec<Uuid>,
}

/// The withdrawal with this id, or none.
pub(crate) async fn find(
    connection: &mut PgConnection,
    id: WithdrawalId,
) -> Result<Option<Withdrawal>, Error> {
    let row: Option<WithdrawalRow> = sqlx::query_as(
        "SELECT merchant_id, product_id, variant_id, kind, serial_ids FROM withdrawals
         WHERE withdrawal_id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(|row| row.withdrawal(id)).transpose()
}

impl WithdrawalRow {
    fn withdrawal(self, id: WithdrawalId) -> Result<Withdrawal, Error> {
        let purpose = Purpose::from_number(self.kind).ok_or(Error::Inconsistent {
            what: "a withdrawal of no known kind",
        })?;
        Ok(Withdrawal {
            id,
            merchant: MerchantId::from_uuid(self.merchant_id),
            sku: sku(self.product_id, self.variant_id),
            purpose,
            serials: self
                .serial_ids
                .into_iter()
                .map(SerialId::from_uuid)
                .collect(),
            by: None,
        })
    }
}

#[derive(sqlx::FromRow)]
struct StandingRow {
    product_id: Option<Uuid>,
    variant_id: Option<Uuid>,
    number: Option<i64>,
    sealed: Option<Vec<u8>>,
    claimed: bool,
}

/// Where these serials stand, in the order asked.
pub(super) async fn standing(
    connection: &mut PgConnection,
    (merchant, sku): (MerchantId, Sku),
    serials: &[SerialId],
) -> Result<Vec<Standing>, Error> {
    let ids: Vec<_> = serials.iter().map(|serial| serial.uuid()).collect();
    let rows: Vec<StandingRow> = sqlx::query_as(include_str!("standing.sql"))
        .bind(ids)
        .bind(merchant.uuid())
        .fetch_all(connection)
        .await?;
    let rows = serials.iter().zip(rows);
    Ok(rows
        .map(|(serial, row)| row.standing(*serial, sku))
        .collect())
}

impl StandingRow {
    fn standing(self, serial: SerialId, shelf: Sku) -> Standing {
        let (Some(product), Some(sealed)) = (self.product_id, self.sealed) else {
            return Standing::Unknown;
        };
        if sku(product, self.variant_id) != shelf {
            return Standing::OtherProduct;
        }
        if self.claimed {
            return Standing::Claimed;
        }
        self.number.map_or(Standing::NotOnSale, |number| {
            Standing::Free(ShelvedSerial {
                position: Position { number, serial },
                sealed: Sealed::from_bytes(sealed),
            })
        })
    }
}

pub(super) fn sku(product: Uuid, variant: Option<Uuid>) -> Sku {
    Sku {
        product: ProductId::from_uuid(product),
        variant: variant.map(VariantId::from_uuid),
    }
}

//! A merchant's program: read whole, changed under a lock with its entry in the audit log.

use engine::{
    audit::{Actor, Deed, Digest},
    clock::Timestamp,
    ids::MerchantId,
    money::{Currency, Money},
    programs::{
        Change, CustomerMail, OutOfBounds, PayoutAsset, Program, Replacement, StockApproval,
        top_up_defaults,
    },
    relationships::{DynamicUrlPolicy, Mode},
};
use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, types::Json};

use crate::{
    Database, Error, audit,
    catalog::source::price,
    database::commit,
    error::exactly_one,
    fulfillments::rows::money,
    owned,
    relationships::rows::{hundredths, kept, named, percent},
};

/// Every column of a program and the rest of the query, which names it `p` and its merchant `m`.
macro_rules! select_program {
    ($rest:literal) => {
        concat!(
            "SELECT m.currency, p.enabled, p.default_mode, p.commission_percent,
               p.wholesale_discount_percent, p.min_payout, p.require_verification, p.terms_url,
               p.attribution_window_days, p.commission_hold_days, p.allow_self_purchase,
               p.stock_approval, p.auto_allocate, p.payout_assets, p.min_top_up, p.max_top_up,
               p.replacement_hours, p.replacement_automatic, p.replacement_percent_max,
               p.dynamic_url_policy, p.customer_mail, p.redirect_hosts, p.version, p.created_at,
               p.updated_at
             FROM programs AS p JOIN merchants AS m ON m.merchant_id = p.merchant_id ",
            $rest
        )
    };
}

/// The program of a merchant.
pub async fn find(db: &Database, merchant: MerchantId) -> Result<Option<Program>, Error> {
    let db = db.clone();
    owned(async move {
        let row: Option<Row> = sqlx::query_as(select_program!("WHERE p.merchant_id = $1"))
            .bind(merchant.uuid())
            .fetch_optional(&mut *db.read().await?)
            .await?;
        row.map(|row| row.program(merchant)).transpose()
    })
    .await
}

/// Changes a merchant's program, or says why it stays; none if there is no such merchant.
pub async fn update(
    db: &Database,
    merchant: MerchantId,
    change: Change,
    actor: Actor,
    now: Timestamp,
) -> Result<Option<Result<Program, OutOfBounds>>, Error> {
    let (db, now) = (db.clone(), kept(now));
    owned(async move {
        let mut tx = db.begin().await?;
        let row: Option<Row> =
            sqlx::query_as(select_program!("WHERE p.merchant_id = $1 FOR UPDATE OF p"))
                .bind(merchant.uuid())
                .fetch_optional(&mut *tx)
                .await?;
        let Some(row) = row else { return Ok(None) };
        let before = digest(&mut tx, merchant).await?;
        let program = match row.program(merchant)?.changed(change, now) {
            Ok(program) => program,
            Err(refused) => return Ok(Some(Err(refused))),
        };
        store(&mut tx, &program).await?;
        let deed = Deed {
            actor,
            action: "program.update".to_owned(),
            target: merchant.program().to_string(),
            before: Some(before),
            after: Some(digest(&mut tx, merchant).await?),
            at: now,
        };
        audit::append(&mut tx, merchant, deed).await?;
        commit(tx).await?;
        Ok(Some(Ok(program)))
    })
    .await
}

async fn store(connection: &mut PgConnection, program: &Program) -> Result<(), Error> {
    let assets: Vec<_> = program.payout_assets.iter().map(AssetRow::of).collect();
    let stored = sqlx::query(
        "UPDATE programs SET enabled = $2, default_mode = $3, commission_percent = $4,
           wholesale_discount_percent = $5, min_payout = $6, require_verification = $7,
           terms_url = $8, attribution_window_days = $9, commission_hold_days = $10,
           allow_self_purchase = $11, stock_approval = $12, auto_allocate = $13,
           payout_assets = $14, min_top_up = $15, max_top_up = $16, replacement_hours = $17,
           replacement_automatic = $18, replacement_percent_max = $19, dynamic_url_policy = $20,
           customer_mail = $21, redirect_hosts = $22, version = $23, updated_at = $24
         WHERE merchant_id = $1",
    )
    .bind(program.merchant.uuid())
    .bind(program.enabled)
    .bind(program.default_mode.name())
    .bind(hundredths(program.commission))
    .bind(hundredths(program.discount))
    .bind(program.min_payout.map(Money::minor))
    .bind(program.require_verification)
    .bind(&program.terms_url)
    .bind(i32::from(program.attribution_window_days))
    .bind(i32::from(program.commission_hold_days))
    .bind(program.allow_self_purchase)
    .bind(program.stock_approval.name())
    .bind(program.auto_allocate)
    .bind(Json(assets))
    .bind(program.min_top_up.minor())
    .bind(program.max_top_up.minor())
    .bind(i32::from(program.replacement.window_hours))
    .bind(program.replacement.automatic)
    .bind(i32::from(program.replacement.percent_max.hundredths()))
    .bind(program.dynamic_url_policy.name())
    .bind(program.customer_mail.name())
    .bind(&program.redirect_hosts)
    .bind(program.version)
    .bind(program.updated_at)
    .execute(connection)
    .await?;
    exactly_one(&stored, "a locked program")
}

/// A digest over everything that is stored of a program but its version and its last change.
async fn digest(connection: &mut PgConnection, merchant: MerchantId) -> Result<Digest, Error> {
    let sum: Vec<u8> = sqlx::query_scalar(
        "SELECT sha256(convert_to((to_jsonb(p) - 'version' - 'updated_at')::text, 'UTF8'))
         FROM programs AS p WHERE p.merchant_id = $1",
    )
    .bind(merchant.uuid())
    .fetch_one(connection)
    .await?;
    audit::digest(sum)
}

/// A payout asset as it is stored in `programs.payout_assets`.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AssetRow {
    asset: String,
    network: String,
}

impl From<AssetRow> for PayoutAsset {
    fn from(AssetRow { asset, network }: AssetRow) -> Self {
        Self { asset, network }
    }
}

impl AssetRow {
    fn of(asset: &PayoutAsset) -> Self {
        Self {
            asset: asset.asset.clone(),
            network: asset.network.clone(),
        }
    }
}

#[derive(sqlx::FromRow)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a row has the columns of its table"
)]
struct Row {
    currency: String,
    enabled: bool,
    default_mode: String,
    commission_percent: Option<i32>,
    wholesale_discount_percent: Option<i32>,
    min_payout: Option<i64>,
    require_verification: bool,
    terms_url: Option<String>,
    attribution_window_days: i32,
    commission_hold_days: i32,
    allow_self_purchase: bool,
    stock_approval: String,
    auto_allocate: bool,
    payout_assets: Json<Vec<AssetRow>>,
    min_top_up: Option<i64>,
    max_top_up: Option<i64>,
    replacement_hours: i32,
    replacement_automatic: bool,
    replacement_percent_max: i32,
    dynamic_url_policy: String,
    customer_mail: String,
    redirect_hosts: Vec<String>,
    version: i64,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl Row {
    fn program(self, merchant: MerchantId) -> Result<Program, Error> {
        let currency = named(Currency::parse(&self.currency), "merchants.currency")?;
        let defaults = top_up_defaults(currency);
        let replacement = Replacement {
            window_hours: small(self.replacement_hours)?,
            automatic: self.replacement_automatic,
            percent_max: named(
                percent(Some(self.replacement_percent_max))?,
                "programs.replacement_percent_max",
            )?,
        };
        let assets = self.payout_assets.0.into_iter();
        let assets = assets.map(PayoutAsset::from);
        Ok(Program {
            merchant,
            currency,
            enabled: self.enabled,
            default_mode: named(Mode::parse(&self.default_mode), "programs.default_mode")?,
            commission: percent(self.commission_percent)?,
            discount: percent(self.wholesale_discount_percent)?,
            min_payout: price(self.min_payout)?,
            require_verification: self.require_verification,
            terms_url: self.terms_url,
            attribution_window_days: small(self.attribution_window_days)?,
            commission_hold_days: small(self.commission_hold_days)?,
            allow_self_purchase: self.allow_self_purchase,
            stock_approval: named(
                StockApproval::parse(&self.stock_approval),
                "programs.stock_approval",
            )?,
            auto_allocate: self.auto_allocate,
            payout_assets: assets.collect(),
            min_top_up: self.min_top_up.map_or(Ok(defaults.0), money)?,
            max_top_up: self.max_top_up.map_or(Ok(defaults.1), money)?,
            replacement,
            dynamic_url_policy: named(
                DynamicUrlPolicy::parse(&self.dynamic_url_policy),
                "programs.dynamic_url_policy",
            )?,
            customer_mail: named(
                CustomerMail::parse(&self.customer_mail),
                "programs.customer_mail",
            )?,
            redirect_hosts: self.redirect_hosts,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn small(number: i32) -> Result<u16, Error> {
    u16::try_from(number).map_err(|_| Error::Inconsistent {
        what: "a number of days or hours",
    })
}

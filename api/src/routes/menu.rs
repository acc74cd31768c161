//! How a line of the menu becomes a route.

use std::{future::Ready, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    extract::Request,
    handler::Handler,
    http::Method,
    response::{IntoResponse, Response},
    routing::{MethodFilter, on},
};
use futures_util::future::Either;
use tower_http::compression::CompressionLayer;

use crate::{
    auth::exposed::{self, Exposed},
    error::{ApiError, Code},
    extract::body::{self, Takes},
    fulfillments::dynamic_url,
    layers::call::{BODY_BYTES_MAX, Call, Route},
    metrics::{RouteMetrics, Surface},
    state::App,
};

/// How long a call may take that the engine gives no deadline of its own.
const DEADLINE: Duration = Duration::from_secs(15);

/// The same where the caller may ask to wait for something to happen.
pub(super) const WAITING: Duration = Duration::from_secs(35);

/// The routes of one surface. Reads are apart, because only they are worth compressing.
pub(crate) struct Menu {
    surface: Surface,
    reads: Router<App>,
    others: Router<App>,
}

impl Menu {
    pub(crate) fn new(surface: Surface) -> Self {
        Self {
            surface,
            reads: Router::new(),
            others: Router::new(),
        }
    }

    pub(crate) fn get<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        self.get_within(path, DEADLINE, handler)
    }

    /// A GET that may take longer than others.
    pub(crate) fn get_within<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        deadline: Duration,
        handler: H,
    ) -> Self {
        let line = Line {
            route: Arc::new(self.route(path, BODY_BYTES_MAX, Some(deadline))),
            takes: Takes::Json,
            handler,
        };
        Self {
            reads: self.reads.route(path, on(MethodFilter::GET, line)),
            ..self
        }
    }

    pub(crate) fn post<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        self.post_of(path, BODY_BYTES_MAX, handler)
    }

    /// A POST with another bound of its body.
    pub(crate) fn post_of<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        body_bytes_max: usize,
        handler: H,
    ) -> Self {
        let route = self.route(path, body_bytes_max, Some(DEADLINE));
        self.line(MethodFilter::POST, route, handler)
    }

    pub(crate) fn patch<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        let route = self.route(path, BODY_BYTES_MAX, Some(DEADLINE));
        self.line(MethodFilter::PATCH, route, handler)
    }

    pub(crate) fn put<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        let route = self.route(path, BODY_BYTES_MAX, Some(DEADLINE));
        self.line(MethodFilter::PUT, route, handler)
    }

    pub(crate) fn delete<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        let route = self.route(path, BODY_BYTES_MAX, Some(DEADLINE));
        self.line(MethodFilter::DELETE, route, handler)
    }

    /// A POST of a form of our own pages.
    pub(crate) fn post_form<H: Handler<T, App>, T: 'static>(
        self,
        path: &'static str,
        handler: H,
    ) -> Self {
        let route = self.route(path, BODY_BYTES_MAX, Some(DEADLINE));
        self.line_of(MethodFilter::POST, route, Takes::Form, handler)
    }

    /// A route that executes: the engine answers it in time, and ends what it began if it does not.
    pub(crate) fn executes<H: Handler<T, App>, T: 'static>(
        self,
        method: MethodFilter,
        path: &'static str,
        body_bytes_max: usize,
        handler: H,
    ) -> Self {
        let route = self.route(path, body_bytes_max, None);
        self.line(method, route, handler)
    }

    fn route(
        &self,
        template: &'static str,
        body_bytes_max: usize,
        deadline: Option<Duration>,
    ) -> Route {
        let metrics = RouteMetrics::new(self.surface, template);
        Route {
            template,
            body_bytes_max,
            deadline,
            metrics,
        }
    }

    fn line<H: Handler<T, App>, T: 'static>(
        self,
        method: MethodFilter,
        route: Route,
        handler: H,
    ) -> Self {
        self.line_of(method, route, Takes::Json, handler)
    }

    fn line_of<H: Handler<T, App>, T: 'static>(
        mut self,
        method: MethodFilter,
        route: Route,
        takes: Takes,
        handler: H,
    ) -> Self {
        let path = route.template;
        let line = Line {
            route: Arc::new(route),
            takes,
            handler,
        };
        self.others = self.others.route(path, on(method, line));
        self
    }

    pub(crate) fn into_router(self) -> Router<App> {
        let compression = CompressionLayer::new().no_br().gzip(true);
        self.reads.layer(compression).merge(self.others)
    }
}

/// A handler behind its route's checks.
#[derive(Clone)]
struct Line<H> {
    route: Arc<Route>,
    takes: Takes,
    handler: H,
}

impl<H> Line<H> {
    /// A change takes everything from its body: what stands in its query would be overlooked.
    fn check_query(&self, request: &Request) -> Result<(), ApiError> {
        let reads = *request.method() == Method::GET || *request.method() == Method::HEAD;
        let query = request.uri().query().filter(|query| !query.is_empty());
        if reads || self.route.template == dynamic_url::PATH || query.is_none() {
            return Ok(());
        }
        // A key in it is refused as such.
        if Exposed::find(query).is_some() {
            return Ok(());
        }
        Err(ApiError::saying(
            Code::BadRequest,
            "This route takes everything from its body, and nothing from a query.",
        ))
    }
}

type Bounded = Pin<Box<dyn Future<Output = Response> + Send>>;

impl<H: Handler<T, App>, T: 'static> Handler<T, App> for Line<H> {
    type Future = Either<Ready<Response>, Either<H::Future, Bounded>>;

    fn call(self, request: Request, app: App) -> Self::Future {
        if let Some(call) = request.extensions().get::<Arc<Call>>() {
            call.matched(Arc::clone(&self.route));
        }
        let (method, headers) = (request.method(), request.headers());
        let checked = body::check_head(method, headers, (self.takes, self.route.body_bytes_max));
        if let Err(error) = checked.and_then(|()| self.check_query(&request)) {
            return Either::Left(std::future::ready(error.into_response()));
        }
        // The one address that takes a key looks at it by itself.
        if self.route.template != dynamic_url::PATH
            && let Some(exposed) = Exposed::find(request.uri().query())
        {
            let refusal = exposed::refuse(exposed, app, request);
            return Either::Right(Either::Right(Box::pin(refusal)));
        }
        let Some(deadline) = self.route.deadline else {
            return Either::Right(Either::Left(self.handler.call(request, app)));
        };
        let late = late(method);
        let answer = tokio::time::timeout(deadline, self.handler.call(request, app));
        Either::Right(Either::Right(Box::pin(async move {
            answer.await.unwrap_or_else(|_| late.into_response())
        })))
    }
}

/// A read that took too long did nothing; a change may have happened.
fn late(method: &Method) -> ApiError {
    if *method == Method::GET {
        ApiError::new(Code::Overloaded)
    } else {
        ApiError::saying(
            Code::OutcomeUnknown,
            "It took too long, and whether it happened is not known. Repeat the same request.",
        )
    }
}

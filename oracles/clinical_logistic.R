# Logistic models: Wald's and likelihood-ratio figures, Firth's penalty, multiple imputation pooled by Rubin's rules and D3.
# Run from the root: Rscript oracles/clinical_logistic.R
suppressMessages({library(jsonlite); library(brglm2); library(mice)})
set.seed(35)
ctrl <- glm.control(epsilon = 1e-15, maxit = 200)
firth <- function(f, d) glm(f, binomial, d, method = "brglmFit", type = "AS_mean", epsilon = 1e-13, maxit = 2000)
penalised <- function(b, X, y) { p <- plogis(X %*% b); sum(dbinom(y, 1, p, log = TRUE)) + determinant(crossprod(X, c(p * (1 - p)) * X))$modulus[1] / 2 }
# the penalised likelihood with some coefficients held at 0, by a general optimiser
held <- function(X, y, zero, start) {
  free <- setdiff(seq_len(ncol(X)), zero); b <- start; b[zero] <- 0
  for (k in 1:5) b[free] <- optim(b[free], function(v) { w <- b; w[free] <- v; -penalised(w, X, y) }, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par
  penalised(b, X, y)
}
# where the penalised likelihood, maximised over the other coefficients, has fallen by half the chi-square quantile
profile_ends <- function(X, y, best) {
  top <- penalised(best, X, y)
  at <- function(j, v) { b <- best; b[j] <- v; for (k in 1:4) b[-j] <- optim(b[-j], function(u) { w <- b; w[-j] <- u; -penalised(w, X, y) }, method = "BFGS", control = list(reltol = 1e-15, maxit = 1000))$par; penalised(b, X, y) - top + qchisq(.95, 1) / 2 }
  end <- function(j, d) { far <- best[j] + d; while (at(j, far) > 0) far <- far + d; uniroot(function(v) at(j, v), sort(c(best[j], far)), tol = 1e-9)$root }
  se <- sqrt(diag(solve(crossprod(X, c(plogis(X %*% best) * (1 - plogis(X %*% best))) * X))))
  list(lo = sapply(2:ncol(X), function(j) unname(end(j, -2 * se[j]))), hi = sapply(2:ncol(X), function(j) unname(end(j, 2 * se[j]))))
}
parts <- function(d) lapply(setdiff(names(d), "y"), function(v) if (is.factor(d[[v]])) list(name = v, levels = levels(d[[v]]), values = as.integer(d[[v]]) - 1L) else list(name = v, levels = list(), values = d[[v]]))
columns <- function(d) { at <- attr(model.matrix(y ~ ., d), "assign"); lapply(seq_len(max(at)), function(k) I(which(at == k))) }
dataset <- function(name, d) {
  m <- glm(y ~ ., binomial, d, control = ctrl); s <- summary(m)$coefficients; null <- glm(y ~ 1, binomial, d, control = ctrl)
  drop <- drop1(m, test = "LRT")[-1, ]; ci <- exp(confint.default(m))[-1, , drop = FALSE]
  f <- firth(y ~ ., d); X <- model.matrix(y ~ ., d); l <- penalised(coef(f), X, d$y)
  list(name = name, y = d$y, variables = parts(d), beta = unname(s[, 1]), se = unname(s[, 2]), wald_p = unname(s[, 4]), lo = unname(ci[, 1]), hi = unname(ci[, 2]),
    lr = drop$LRT, lr_df = drop$Df, lr_p = drop[["Pr(>Chi)"]], whole = unname(2 * (logLik(m) - logLik(null)))[1], loglik = as.numeric(logLik(m)),
    profile = profile_ends(X, d$y, coef(f)), firth_beta = unname(coef(f)), firth_se = unname(sqrt(diag(vcov(f)))), firth_lr = sapply(columns(d), function(z) 2 * (l - held(X, d$y, z, coef(f)))))
}
make <- function(n, strength) {
  d <- data.frame(age = round(rnorm(n, 52, 11)), score = round(plogis(rnorm(n)), 4), stage = factor(sample(c("T1", "T2", "T3"), n, TRUE, c(.4, .45, .15))), her2 = factor(sample(c("negative", "positive"), n, TRUE, c(.7, .3))))
  d$score <- qlogis(d$score)
  d$y <- rbinom(n, 1, plogis(-.4 + strength * (.03 * (d$age - 52) + .9 * d$score + .5 * (d$stage == "T3") + .6 * (d$her2 == "positive")))); d
}
a <- make(239, 1); b <- make(60, .6)
# outcome separated in one level: everybody at stage T3 is positive; only Firth has estimates
c <- make(80, .8); c$y[c$stage == "T3"] <- 1; f <- firth(y ~ ., c); X <- model.matrix(y ~ ., c); l <- penalised(coef(f), X, c$y)
separated <- list(name = "T3 always positive", y = c$y, variables = parts(c), profile = profile_ends(X, c$y, coef(f)), firth_beta = unname(coef(f)), firth_se = unname(sqrt(diag(vcov(f)))), firth_lr = sapply(columns(c), function(z) 2 * (l - held(X, c$y, z, coef(f)))))
# imputed copies, pooled
d <- make(120, 1); d$age[sample(120, 30)] <- NA; d$stage[sample(120, 25)] <- NA; d$her2[sample(120, 10)] <- NA; d$y <- factor(d$y)
mids <- mice(d, m = 5, printFlag = FALSE, seed = 4); fits <- with(mids, glm(as.integer(y) - 1 ~ age + score + stage + her2, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)))
s <- summary(pool(fits), conf.int = TRUE); full <- pool(fits)$pooled
without <- with(mids, glm(as.integer(y) - 1 ~ age + score + her2, family = binomial, control = glm.control(epsilon = 1e-14, maxit = 100)))
# D3 by the formulas of Meng and Rubin (1992); mice's own refits the intercept at the pooled coefficients, which the paper does not
d3 <- function(f1, f0) {
  q1 <- rowMeans(sapply(f1, coef)); q0 <- rowMeans(sapply(f0, coef)); m <- length(f1); k <- length(q1) - length(q0); v <- k * (m - 1)
  at <- function(f, q) sapply(f, function(g) sum(dbinom(g$y, 1, plogis(model.matrix(g) %*% q), log = TRUE)))
  own <- mean(2 * (sapply(f1, logLik) - sapply(f0, logLik))); pooled <- mean(2 * (at(f1, q1) - at(f0, q0)))
  r <- (m + 1) / v * (own - pooled); d <- pooled / (k * (1 + r)); w <- if (v > 4) 4 + (v - 4) * (1 + (1 - 2 / v) / r)^2 else v * (1 + 1 / k) * (1 + 1 / r)^2 / 2
  c(d, w, pf(d, k, w, lower.tail = FALSE))
}
D <- d3(fits$analyses, without$analyses)
pooled <- list(y = as.integer(d$y) - 1L, copies = lapply(1:5, function(k) { e <- complete(mids, k); e$y <- NULL; lapply(e, function(v) if (is.factor(v)) as.integer(v) - 1L else v) }),
  beta = s$estimate, se = s$std.error, df = s$df, p = s$p.value, lo = s[["2.5 %"]], hi = s[["97.5 %"]], fmi = full$fmi,
  within = full$ubar, between = full$b, d3 = D[1], d3_df2 = D[2], d3_p = D[3], mice_d3 = D3(fits, without)$result[1])
v <- function(p) as.character(packageVersion(p))
write_json(list(recipe = "oracles/clinical_logistic.R", versions = list(R = as.character(getRversion()), brglm2 = v("brglm2"), mice = v("mice")),
  tolerance = 1e-8, reason = "both maximise the same likelihood in float64 to a step under 1e-9; penalised likelihood-ratio statistics and profile intervals 1e-5, since R's optim finds their restricted maxima without derivatives; mice_d3 0.01, since mice refits the intercept at the pooled coefficients",
  sets = list(dataset("239 patients", a), dataset("60 patients", b)), separated = separated, pooled = pooled), "clinical/testdata/oracle/logistic.json", digits = NA, auto_unbox = TRUE)

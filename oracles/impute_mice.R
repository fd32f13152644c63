# Multiple imputation by chained equations with mice: what the completed data look like and what a model says of them, over many
# imputations; and Rubin's rules on made-up estimates. Run from the root: Rscript oracles/impute_mice.R
suppressMessages({library(jsonlite); library(mice)})
set.seed(8)
n <- 300
d <- data.frame(age = round(rnorm(n, 52, 11), 1)); d$size <- round(exp(rnorm(n, 2.6 + .01 * (d$age - 52), .4)), 1)
d$er <- rbinom(n, 1, plogis(.5 + .03 * (d$age - 52))); d$stage <- findInterval(rnorm(n) + .06 * d$size, c(.9, 2))
d$y <- rbinom(n, 1, plogis(-.8 + .05 * (d$size - 14) - .5 * d$er + .4 * d$stage))
# missing at random: more often where the outcome, always known, is 1
gone <- function(v, p) { v[runif(n) < p * (1 + d$y) / 1.4] <- NA; v }
m <- d; m$size <- gone(m$size, .25); m$er <- gone(m$er, .2); m$stage <- gone(m$stage, .2)
f <- transform(m, er = factor(er), stage = factor(stage), y = factor(y))
M <- 400
mids <- mice(f, m = M, maxit = 10, method = c("", "pmm", "logreg", "polyreg", ""), printFlag = FALSE, seed = 1)
fits <- with(mids, glm(as.integer(y) - 1 ~ age + size + er + stage, family = binomial)); s <- summary(pool(fits))
sizes <- mids$imp$size; share <- function(x, level) mean(unlist(x) == level)
pooled <- lapply(list(list(e = c(.5, .9, .4, .7, .65), v = c(.04, .05, .045, .05, .04), df = 100), list(e = c(1.2, 1.21, 1.19), v = c(.3, .31, .32), df = 20), list(e = c(-2, 1, 3, 0), v = c(.1, .1, .1, .1), df = Inf)),
  function(k) { p <- pool.scalar(k$e, k$v, n = if (is.finite(k$df)) k$df + 1 else Inf, k = 1); list(estimates = k$e, variances = k$v, complete = if (is.finite(k$df)) k$df else -1, value = p$qbar, se = sqrt(p$t), df = p$df, fmi = p$fmi, within = p$ubar, between = p$b) })
write_json(list(recipe = "oracles/impute_mice.R", versions = list(R = as.character(getRversion()), mice = as.character(packageVersion("mice"))), tolerance = 1e-9,
  reason = "Rubin's rules are closed forms; the imputations are other random draws from slightly other posteriors, so means and pooled figures are held within the bands of the test",
  data = lapply(m, function(v) I(v)), imputed = list(size_mean = mean(unlist(sizes)), size_sd = sd(unlist(sizes)), er = share(mids$imp$er, 1), stage = c(share(mids$imp$stage, 0), share(mids$imp$stage, 1), share(mids$imp$stage, 2))),
  estimate = s$estimate, se = s$std.error, pooled = pooled), "impute/testdata/oracle/mice.json", digits = NA, auto_unbox = TRUE, na = "null")

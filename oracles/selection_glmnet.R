# glmnet's binomial LASSO with given folds -> selection/testdata/oracle/glmnet.json. Run from the root: Rscript oracles/selection_glmnet.R
# The path is glmnet's own, whose length depends on how well it is solved (thresh 1e-12); the folds get its lambdas, at 1e-15.
suppressMessages({library(glmnet); library(jsonlite)})
dir <- tempfile(); dir.create(dir)
stopifnot(system2("/usr/bin/python3", c("oracles/selection_glmnet.py", dir)) == 0)
glmnet.control(mxitnr = 100)
sparse <- function(b) list(index = I(which(b != 0) - 1L), value = I(unname(b[b != 0])))
case <- function(name, weighted) {
  d <- unname(as.matrix(read.csv(file.path(dir, paste0(name, ".csv")), header = FALSE)))
  y <- d[, 1]; fold <- d[, 3] + 1; x <- d[, -(1:3)]
  w <- if (weighted) d[, 2] else rep(1, length(y))
  own <- glmnet(x, y, family = "binomial", weights = w, thresh = 1e-12, maxit = 1e7)
  cv <- suppressWarnings(cv.glmnet(x, y, family = "binomial", weights = w, foldid = fold, lambda = own$lambda, thresh = 1e-15, maxit = 1e8, type.measure = "deviance"))
  fit <- cv$glmnet.fit
  at <- unique(round(c(.1, .3, .6, .9) * length(own$lambda)))
  cat(name, weighted, "lambdas", length(own$lambda), "min at", cv$index[1], "kept", cv$nzero[cv$index[1]], "1se at", cv$index[2], "\n")
  list(table = name, weighted = weighted, lambdas = own$lambda, cv_mean = cv$cvm, cv_se = cv$cvsd, lambda_min = cv$lambda.min, lambda_1se = cv$lambda.1se,
    at = at - 1, path = lapply(at, function(i) sparse(fit$beta[, i])), intercept = unname(fit$a0[at]))
}
cases <- list()
for (name in c("breast_cancer", "wide", "imbalanced", "blocks")) for (weighted in c(FALSE, TRUE)) cases[[length(cases) + 1]] <- case(name, weighted)
writeLines(toJSON(list(recipe = "oracles/selection_glmnet.R", versions = list(R = as.character(getRversion()), glmnet = as.character(packageVersion("glmnet"))),
  tolerance = 3e-5, reason = "relative to the largest coefficient: glmnet stops when no coefficient moves the loss by 1e-15 of the null deviance; ill-conditioned columns then leave 1e-5, ours are certified by a gap of 1e-12",
  cases = cases), auto_unbox = TRUE, digits = NA), "selection/testdata/oracle/glmnet.json")

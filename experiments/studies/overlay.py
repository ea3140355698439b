"""Lemma 1 laid over stochastic gradient descent on the handwritten digits, nothing fitted.

Linear BYOL is trained on pairs of views drawn from a fixed bank, whose X and X_aug are exact, and
`integrate(weights_flow, …)` with these moments is laid over it from the same start. Arrays in overlay.npz, with t
times, d features, S seeds, l learning rates, and the networks W, Wp, Wa in this order where an axis has length 3:

    ts                  (t,)       flow time, learning rate × steps
    F_predicted         (t, d)     eigenvalues of F = W X Wᵀ of the flow, ascending
    F_measured          (S, t, d)  the same of single runs of descent at learning rate `lr`, batch `batch`
    Wp_predicted        (t, d)     eigenvalues of the symmetric part of Wp of the flow, ascending
    Wp_measured         (S, t, d)
    size_predicted      (t, 3)     Frobenius norms of W, Wp, Wa of the flow
    size_measured       (S, t, 3)
    error               (S, t, 3)  relative error of a single run, ‖ΔW(t)‖/‖W(t)‖ with the flow's W(t) below
    lr, batch           ()         of these runs

    bias_lrs            (l,)       learning rates of full-batch descent (no randomness)
    bias                (l, 3)     its largest relative error over time
    bias_order          (3,)       slope of log bias against log lr

    fluctuation_lrs     (l,)       learning rates of runs at batch `fluctuation_batch`
    fluctuation         (l, S', 3) root mean square over time of ‖W(t) - full-batch W(t)‖/‖full-batch W(t)‖, one a run
    fluctuation_order   (3,)       slope of log (root mean square over runs) against log lr
    fluctuation_order_error (3,)   its standard error, by the jackknife over runs
    fluctuation_batch   ()

    fresh_error         (t, 3)     one run on fresh views, against the flow with moments measured from other fresh views
    fresh_floor         (t, 3)     relative distance of two flows with independently measured moments, over √2
    fresh_moments_error (2,)       relative error of the measured X and X_aug themselves (Frobenius norm)
"""

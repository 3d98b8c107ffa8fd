// The regular variables in which infinite width and the lazy limit are ordinary points (theory.md section 8).
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "problem/scales.hpp"

namespace lindmft {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Problem problem(const Network& network) {
  Problem p;
  p.network = network;
  p.data.alpha = kInfinity;
  validate(p);
  return p;
}

TEST(Scales, EqualWidths) {
  const Scales s = scales(problem({.depth = 3, .width = {4.0}, .gamma0 = 0.5}));
  EXPECT_EQ(s.gamma0, 0.5);
  EXPECT_EQ(s.gamma0_sq, 0.25);
  EXPECT_EQ(s.rho, 1.0);  // 1 / (gamma0^2 nu)
  EXPECT_EQ(s.first_to_last, 1.0);
  EXPECT_EQ(s.ratio, std::vector<double>(4, 1.0));
  EXPECT_EQ(s.arrays.size(), 4U);
  for (const Scales::Array& array : s.arrays) {
    EXPECT_EQ(array.lr, 1.0);
    EXPECT_EQ(array.start, 1.0);
  }
}

TEST(Scales, UnequalWidths) {
  const Scales s = scales(problem({.depth = 3, .width = {0.5, 2.0, 4.0}, .gamma0 = 0.5}));
  EXPECT_EQ(s.rho, 1.0);  // the last width
  EXPECT_EQ(s.first_to_last, 0.125);
  EXPECT_EQ(s.ratio, (std::vector<double>{1.0, 4.0, 2.0, 1.0}));  // nu_{l+1} / nu_l, none at input and readout
}

TEST(Scales, InfiniteWidth) {
  for (const std::vector<double>& width : {std::vector{kInfinity}, std::vector{kInfinity, kInfinity, kInfinity}}) {
    const Scales s = scales(problem({.depth = 3, .width = width, .gamma0 = 0.5}));
    EXPECT_EQ(s.gamma0, 0.5);
    EXPECT_EQ(s.rho, 0.0);
    EXPECT_EQ(s.first_to_last, 1.0);
    EXPECT_EQ(s.ratio, std::vector<double>(4, 1.0));
  }
}

TEST(Scales, LazyLimit) {
  const Scales s = scales(problem({.depth = 2, .width = {kInfinity}, .gamma0 = 0.0}));
  EXPECT_EQ(s.gamma0, 0.0);
  EXPECT_EQ(s.gamma0_sq, 0.0);
  EXPECT_EQ(s.rho, 0.0);
}

TEST(Scales, NtkGrowsLazyWithTheLastWidth) {
  const Network network{.depth = 2, .width = {9.0, 4.0}, .gamma0 = 0.5, .parameterization = Parameterization::ntk};
  const Scales s = scales(problem(network));
  EXPECT_EQ(s.gamma0, 0.25);  // gamma0 / sqrt(nu_L)
  EXPECT_EQ(s.gamma0_sq, 0.0625);
  EXPECT_EQ(s.rho, 4.0);  // of the effective richness: 1 / gamma0^2 at every width
  EXPECT_EQ(s.first_to_last, 2.25);
}

/// The lazy limit, in which the initial predictor remains.
TEST(Scales, NtkAtInfiniteWidth) {
  const Network network{.depth = 2, .width = {kInfinity}, .gamma0 = 0.5, .parameterization = Parameterization::ntk};
  const Scales s = scales(problem(network));
  EXPECT_EQ(s.gamma0, 0.0);
  EXPECT_EQ(s.gamma0_sq, 0.0);
  EXPECT_EQ(s.rho, 4.0);
  EXPECT_EQ(s.first_to_last, 1.0);
}

TEST(Scales, InfiniteWidthIsTheLimitOfLargeWidths) {
  for (const Parameterization parameterization : {Parameterization::mup, Parameterization::ntk}) {
    Network network{.depth = 2, .width = {1e12}, .gamma0 = 0.5, .parameterization = parameterization};
    const Scales wide = scales(problem(network));
    network.width = {kInfinity};
    const Scales limit = scales(problem(network));
    EXPECT_NEAR(wide.gamma0, limit.gamma0, 1e-6);
    EXPECT_NEAR(wide.rho, limit.rho, 1e-11);
    EXPECT_EQ(wide.ratio, limit.ratio);
  }
}

TEST(Scales, LayerRatesAreTakenOver) {
  Problem p = problem({.depth = 1});
  p.optimizer.layer_lr = {0.3, 2.0};
  EXPECT_EQ(scales(p).arrays[0].lr, 0.3);
  EXPECT_EQ(scales(p).arrays[1].lr, 2.0);
}

TEST(Scales, InitialScalesAreRelativeToTheLargest) {
  Problem p = problem({.depth = 2, .init_scale = {1.0, 2.0, 0.0}});
  EXPECT_EQ(init_unit(p.network), 2.0);
  const std::vector<Scales::Array> arrays = scales(p).arrays;
  EXPECT_EQ(arrays[0].start, 0.25);
  EXPECT_EQ(arrays[1].start, 1.0);
  EXPECT_EQ(arrays[2].start, 0.0);
  p.network.init_scale = {0.7};
  EXPECT_EQ(scales(p).arrays[0].start, 1.0);
  p.network.zero_readout = true;
  EXPECT_EQ(scales(p).arrays[2].start, 0.0);
}

TEST(LayerWidths, OneNumberStandsForAllLayers) {
  EXPECT_EQ(layer_widths({.depth = 3, .width = {0.7}}), (std::vector<double>{0.7, 0.7, 0.7}));
  EXPECT_EQ(layer_widths({.depth = 2, .width = {0.7, 0.2}}), (std::vector<double>{0.7, 0.2}));
}

}  // namespace
}  // namespace lindmft

#include "theory/replicas.hpp"

#include <utility>

namespace lindmft::theory {
namespace {

/// The network side of two networks with independent initial weights: all their cross-correlations are zero.
class Unrelated final : public NetworkSide {
 public:
  void guess(const linalg::Guess& /*guess*/, bool /*responses_final*/) override {}
  [[nodiscard]] std::vector<Carried> carried() override { return {}; }
  [[nodiscard]] std::vector<Watched> watched() const override { return {}; }
  void visit(const StateVisitor& /*visitor*/) override {}
  void backward(const Sweep& /*sweep*/, const DataField& /*data*/) override {}
  void forward(const Sweep& /*sweep*/, const DataField& /*data*/) override {}
  void finish(const Sweep& /*sweep*/, const DataField& /*data*/) override {}
  [[nodiscard]] NetworkField field() const override { return {nullptr, nullptr}; }
  [[nodiscard]] int layers() const override { return 0; }
  [[nodiscard]] double feature_norm(int /*layer*/, int /*node*/) const override { return 0.0; }
  [[nodiscard]] double gradient_norm(int /*layer*/, int /*node*/) const override { return 0.0; }
  [[nodiscard]] std::vector<ChainTerm> chain(int /*node*/) const override { return {}; }
  void release(TwoTimeFunctions& /*out*/, const Saved& /*saved*/) override {}
  [[nodiscard]] double tangent_kernel(int /*node*/, int /*weights*/, const DataField& /*data*/) const override {
    return 0.0;
  }
};

std::vector<double> overlap(const MarchAgain& march_again, NetworkSide& network, DataSide& data, Solution& solution) {
  Solution pair;
  march_again(network, data, pair);
  solution.stats.sweeps += pair.stats.sweeps;
  solution.stats.row_sweeps += pair.stats.row_sweeps;
  solution.stats.flops += pair.stats.flops;
  return std::move(pair.test_loss);
}

}  // namespace

void add_replicas(const MarchAgain& march_again, NetworkSide& network, DataSide& data, Solution& solution) {
  Unrelated unrelated;
  data.share(false, true);
  solution.replicas.shared_data = overlap(march_again, unrelated, data, solution);
  data.share(true, false);
  solution.replicas.shared_init = overlap(march_again, network, data, solution);
  solution.replicas.independent = solution.term_target;
}

}  // namespace lindmft::theory

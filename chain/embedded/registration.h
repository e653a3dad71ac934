// Neurons: how a hotkey gets a slot of a subnet, what that costs, and whose slot it takes.
//
// Source: behaviour of subtensor spec 425, do_register and the burn price of dynamic registration.
#pragma once

#include <cstdint>
#include <optional>

#include "chain/embedded/dispatch.h"
#include "chain/embedded/subtensor_calls.h"

namespace chain::embedded {

// Nothing if the hotkey holds no slot of the subnet.
std::optional<uint16_t> uid_of(const Storage& storage, uint16_t netuid, const AccountId& hotkey);
uint16_t neuron_count(const Storage& storage, uint16_t netuid);

// The 32-bit fraction whose `half_life`-th power is the largest that is at most one half; powers by
// squaring, every product rounded down. f(360) = 4,286,705,684. 0 half life: the price never
// decays.
uint32_t decay_factor(uint16_t half_life);
// One block's decay of the price, and one registration's rise; both within [MinBurn, MaxBurn].
void decay_burn(Storage& storage, uint16_t netuid);
void raise_burn(Storage& storage, uint16_t netuid);

// The slot a newcomer would take when all are taken; nothing if all are immortal. Owner's keys are
// immortal. Among those past immunity the lowest emission, then the oldest, then the lowest uid;
// but as long as at most MinNonImmuneUids are past it, among the immune ones.
std::optional<uint16_t> uid_to_prune(const Storage& storage, uint16_t netuid, uint64_t block);

// Burns the price and gives the hotkey a slot. In the chain's order:
// RegistrationNotPermittedOnRoot- Subnet, SubnetNotExists, SubNetRegistrationDisabled,
// HotKeyAlreadyRegisteredInSubNet, NotEnoughBalanceToStake, NonAssociatedColdKey,
// NoNeuronIdAvailable.
Outcome check_register(const Storage& storage, uint64_t block, const AccountId& coldkey,
                       const calls::BurnedRegister& call);
Outcome burned_register(const Context& context, const AccountId& coldkey,
                        const calls::BurnedRegister& call);
// RegistrationPriceLimitExceeded if the price is above the limit.
Outcome register_limit(const Context& context, const AccountId& coldkey,
                       const calls::RegisterLimit& call);
// Makes a hotkey that nobody has the caller's own, without a slot anywhere.
Outcome try_associate_hotkey(const Context& context, const AccountId& coldkey,
                             const calls::Hotkey& call);

// The part of a registration that costs nothing; genesis uses it for the subnet owner.
// Pre: a slot can be had, and the hotkey has none.
uint16_t place_neuron(Storage& storage, uint64_t block, uint16_t netuid, const AccountId& hotkey,
                      const AccountId& coldkey);

}  // namespace chain::embedded

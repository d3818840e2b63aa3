import Control
import Manifest

/// `/server_info` (`envoy.admin.v3.ServerInfo`). There is one epoch: nothing restarts in place.
enum ServerInfoPage {
    static func json(_ snapshot: Snapshot) -> JSON {
        let uptime = JSON.text("\(snapshot.uptimeMilliseconds / 1_000)s")
        return .object([
            "version": .text("\(snapshot.version)/Apus"), "state": .text(snapshot.state.name),
            "uptime_current_epoch": uptime, "uptime_all_epochs": uptime,
            "hot_restart_version": .text("disabled"),
            "command_line_options": .object(
                snapshot.settings.map { option in
                    let number = Int(option.value)
                    return JSON.Field(
                        name: option.name,
                        value: number.map(JSON.integer) ?? .text(option.value))
                }),
            "node": .object(["user_agent_name": .text("apus")]),
        ])
    }
}
